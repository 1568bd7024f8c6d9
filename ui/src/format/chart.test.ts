import { expect, it } from 'vitest';

import type { SeriesView } from '../backend/bindings/SeriesView';
import { along, around, columnsOf, interval, lineOf, measured, unitOf, withUnit } from './chart';

function view(times: number[], means: (number | null)[]) {
  const series: SeriesView = {
    name: 't',
    unit: null,
    latest: null,
    latest_at: null,
    count: times.length,
    min: null,
    max: null,
    mean: null,
    lows: means.map((mean) => mean && mean - 1),
    highs: means.map((mean) => mean && mean + 1),
    means,
  };
  return { view: { from: 0, to: 1, times, series: [series], remarks: [] }, series };
}

it('leaves out the points at which a series has nothing', () => {
  const { view: all, series } = view([1_000, 2_000, 3_000], [5, null, 7]);
  expect(columnsOf(all, series)).toEqual([
    [1, 3],
    [4, 6],
    [6, 8],
    [5, 7],
  ]);
  expect(lineOf(series)).toEqual([5, 7]);
});

it('shows a hole where nothing was measured for long', () => {
  const { view: all, series } = view([1_000, 2_000, 3_000, 60_000, 61_000], [1, 1, 1, 2, 2]);
  const [x, , , mean] = columnsOf(all, series);
  expect(x).toEqual([1, 2, 3, 5, 60, 61]);
  expect(mean).toEqual([1, 1, 1, null, 2, 2]);
});

it.each([
  [null, '–'],
  [21.5372, '21.54'],
  [-61, '-61'],
  [148_032.4, '148,032'],
  [0, '0'],
  [1_764_000_123, '1,764,000,123'],
  [-1_764_000_123.4, '-1,764,000,123'],
  [Number.MAX_SAFE_INTEGER, '9,007,199,254,740,991'],
  [0.00123, '0.00123'],
  [6.02e23, '6.02E23'],
  [1e-7, '1E-7'],
])('reads %s as %s', (value, words) => expect(measured(value)).toBe(words));

it.each([
  [100, '0.1 s'],
  [5_000, '5 s'],
  [60_000, '1 min'],
  [90_000, '90 s'],
  [3_600_000, '1 h'],
])('reads an interval of %i ms as %s', (ms, words) => expect(interval(ms)).toBe(words));

it.each([
  [[22.3, 22.305, 22.31], 0.005, ['22.300', '22.305', '22.310']],
  [[-68, -67.5, -67], 0.5, ['-68.0', '-67.5', '-67.0']],
  [[84_000, 85_000], 1_000, ['84,000', '85,000']],
  [[0, 2.5, 5], 2.5, ['0.0', '2.5', '5.0']],
  [[0, 50], 50, ['0', '50']],
  [[0, 5e11], 5e11, ['0', '5E11']],
  [[1_764_000_000, 1_764_000_005], 5, ['1,764,000,000', '1,764,000,005']],
  [[0], 0, ['0']],
])('tells %j, %d apart, along an axis as %j', (values, step, words) => expect(along(values, step)).toEqual(words));

it('gives what does not move the middle of its axis', () => {
  expect(around(50)).toEqual([49.5, 50.5]);
  expect(around(-200)).toEqual([-202, -198]);
  expect(around(0)).toEqual([-1, 1]);
});

it.each([
  ['temp_c', '°C'],
  ['battery_pct', '%'],
  ['supply_mV', 'mV'],
  ['temperature', null],
  ['music', null],
  ['_c', null],
  ['door_open', null],
])('the unit of %s is %s', (name, unit) => expect(unitOf({ name, unit: null })).toBe(unit));

it('shows the announced unit, and its invisible characters', () => {
  expect(withUnit(21.5, { name: 'flow', unit: 'm³/h' })).toBe('21.5 m³/h');
  expect(withUnit(21.5, { name: 'tank_c', unit: '°F' })).toBe('21.5 °F');
  expect(withUnit(21.5, { name: 'tank_c', unit: null })).toBe('21.5 °C');
  expect(unitOf({ name: 'flow', unit: 'l\u202e' })).not.toContain('\u202e');
});
