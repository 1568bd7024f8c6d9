import { expect, it } from 'vitest';

import { continued, cutAt, fresh, holding, levelOf, linesOf } from './log';

const lines = (...texts: string[]) => texts.map((text) => ({ text, gap: false }));

it('makes lines of parts, and a line of each gap', () => {
  const parts = [
    { first: 1, last: 2, text: 'a\r\nb\n' },
    { first: 3, last: 3, text: null },
    { first: 4, last: 4, text: '\nc' },
    { first: 5, last: 9, text: null },
  ];
  expect(linesOf(parts)).toEqual([
    ...lines('a', 'b'),
    { text: 'Chunk 3 did not come', gap: true },
    ...lines('', 'c'),
    { text: 'Chunks 5–9 did not come', gap: true },
  ]);
  expect(linesOf([])).toEqual([]);
});

it.each([
  [['a', 'b'], ['a', 'b', 'c'], ['c']],
  [
    ['a', 'b'],
    ['b', 'c', 'd'],
    ['c', 'd'],
  ],
  [['a', 'b'], ['a', 'b'], []],
  [
    ['a', 'b'],
    ['x', 'y'],
    ['x', 'y'],
  ],
  [['a', 'a'], ['a', 'a', 'a', 'b'], ['b']],
  [[], ['a'], ['a']],
])('finds what is new after %j in %j', (before, now, expected) => {
  expect(fresh(lines(...before), lines(...now))).toEqual(lines(...expected));
  expect(continued(lines(...before), lines(...now))).toEqual(lines(...before, ...expected));
});

it('keeps a hundred thousand lines', () => {
  const many = Array.from({ length: 100_000 }, (_, i) => ({ text: `${i}`, gap: false }));
  const on = continued(many, lines('99999', 'new'));
  expect(on).toHaveLength(100_000);
  expect(on[0]?.text).toBe('1');
  expect(on.at(-1)?.text).toBe('new');
});

it('finds a text in any case', () => {
  expect(holding(lines('Wifi up', 'x', 'no WIFI'), 'wifi')).toEqual([0, 2]);
  expect(holding(lines('a'), '')).toEqual([]);
  expect(cutAt('no WIFI, wifi', 'wifi')).toEqual([
    { text: 'no ', found: false },
    { text: 'WIFI', found: true },
    { text: ', ', found: false },
    { text: 'wifi', found: true },
  ]);
  expect(cutAt('İ a', 'a')).toEqual([{ text: 'İ a', found: false }]);
  expect(cutAt('', 'a')).toEqual([{ text: '', found: false }]);
});

it.each([
  ['2026-11-25T10:00:00.000Z ERROR flash', 'error'],
  ['2026-11-25T10:00:00.000Z WARN  wifi', 'warn'],
  ['E (1234) wifi: lost', 'error'],
  ['I (1234) wifi: up', 'info'],
  ['[DEBUG] x', 'debug'],
  ['the errors of others', null],
  [`${'x'.repeat(70)} ERROR`, null],
])('reads how grave “%s” is', (line, level) => expect(levelOf(line)).toBe(level));
