/** Measurements as numbers for charts and tables. */

import type { SeriesView } from '../backend/bindings/SeriesView';
import type { TelemetryView } from '../backend/bindings/TelemetryView';
import { visible } from './text';

/** The drawn values of one series: its times in seconds, its smallest, largest and mean values. */
export type Columns = [x: number[], low: (number | null)[], high: (number | null)[], mean: (number | null)[]];

/** A pause that is so many times longer than the usual one is a gap. */
const GAP = 4;

/** The points of a series, with a hole wherever nothing was measured for long. */
export function columnsOf({ times }: TelemetryView, { lows, highs, means }: SeriesView): Columns {
  const columns: Columns = [[], [], [], []];
  const places = times.map((_, i) => i).filter((i) => means[i] !== null && means[i] !== undefined);
  const longest = GAP * median(places.slice(1).map((i, n) => (times[i] ?? 0) - (times[places[n] ?? 0] ?? 0)));
  let before: number | null = null;
  for (const i of places) {
    const at = times[i] ?? 0;
    if (before !== null && at - before > longest) push(columns, before + longest / 2, null, null, null);
    push(columns, at, lows[i] ?? null, highs[i] ?? null, means[i] ?? null);
    before = at;
  }
  return columns;
}

function push(columns: Columns, at: number, ...values: [number | null, number | null, number | null]): void {
  columns[0].push(at / 1_000);
  columns[1].push(values[0]);
  columns[2].push(values[1]);
  columns[3].push(values[2]);
}

function median(numbers: number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.POSITIVE_INFINITY;
}

/** The means alone, as a small line shows them. */
export function lineOf({ means }: SeriesView): number[] {
  return means.filter((mean) => mean !== null);
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 });
const scientific = new Intl.NumberFormat('en', { notation: 'scientific', maximumSignificantDigits: 4 });

/** A measurement, as exact as it is read at a glance: `21.54`, `148,032`, `1,764,000,123`, `6.02E23`. */
export function measured(value: number | null): string {
  if (value === null) return '–';
  const size = Math.abs(value);
  if (size > Number.MAX_SAFE_INTEGER || (size > 0 && size < 1e-4)) return scientific.format(value);
  return (size >= 1_000 ? whole : short).format(value);
}

/** Units by the endings of names, as the field writes them: `temp_c`, `battery_pct`. A name without one has none here. */
const UNITS: Record<string, string> = {
  c: '°C',
  f: '°F',
  k: 'K',
  pct: '%',
  percent: '%',
  ms: 'ms',
  s: 's',
  v: 'V',
  mv: 'mV',
  a: 'A',
  ma: 'mA',
  w: 'W',
  kw: 'kW',
  wh: 'Wh',
  kwh: 'kWh',
  hz: 'Hz',
  rpm: 'rpm',
  pa: 'Pa',
  hpa: 'hPa',
  kpa: 'kPa',
  bar: 'bar',
  db: 'dB',
  dbm: 'dBm',
  lux: 'lx',
  ppm: 'ppm',
  mm: 'mm',
  cm: 'cm',
  m: 'm',
  km: 'km',
  kmh: 'km/h',
  g: 'g',
  kg: 'kg',
  l: 'l',
  b: 'B',
  bytes: 'B',
  kb: 'kB',
};

/** The unit of a series: as the device announces it, or else the one that its name ends in; nothing where there is none. */
export function unitOf({ name, unit }: Pick<SeriesView, 'name' | 'unit'>): string | null {
  if (unit !== null) return visible(unit);
  const [, ending] = /[a-z0-9]_([a-z]+)$/i.exec(name) ?? [];
  return (ending !== undefined && UNITS[ending.toLowerCase()]) || null;
}

/** A measurement with the unit of its series. */
export function withUnit(value: number | null, series: Pick<SeriesView, 'name' | 'unit'>): string {
  const unit = unitOf(series);
  return unit === null || value === null ? measured(value) : `${measured(value)} ${unit}`;
}

/** From where to where the axis of a series goes that stays where it is: a hundredth of it to either side. */
export function around(value: number): [low: number, high: number] {
  const room = value === 0 ? 1 : Math.abs(value) / 100;
  return [value - room, value + room];
}

/** The labels of an axis with this step, each different from the next: `22.305`, `22.310`. */
export function along(values: number[], step: number): string[] {
  const largest = Math.max(...values.map(Math.abs));
  if (!(step > 0) || step < 1e-9 || (largest > 0 && largest < 1e-4)) return values.map(measured);
  // Four digits are enough if neighbouring labels then differ.
  if (largest >= 1e9 && step * 1_000 >= largest)
    return values.map((value) => (value === 0 ? '0' : scientific.format(value)));
  // Steps are 1, 2, 2.5 or 5 times a power of ten.
  const digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].find((places) => {
    const scaled = step * 10 ** places;
    return Math.abs(scaled - Math.round(scaled)) < 1e-6;
  });
  const digit = { minimumFractionDigits: digits ?? 10, maximumFractionDigits: digits ?? 10 };
  const format = new Intl.NumberFormat('en', digit);
  return values.map((value) => format.format(value));
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The measuring intervals that can be chosen, milliseconds. */
export const INTERVALS = [
  100,
  500,
  SECOND,
  5 * SECOND,
  10 * SECOND,
  30 * SECOND,
  MINUTE,
  5 * MINUTE,
  15 * MINUTE,
  HOUR,
];

/** An interval: `5 s`, `0.5 s`, `15 min`, `1 h`. */
export function interval(ms: number): string {
  if (ms % HOUR === 0) return `${ms / HOUR} h`;
  if (ms % MINUTE === 0) return `${ms / MINUTE} min`;
  return `${ms / SECOND} s`;
}
