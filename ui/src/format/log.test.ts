import { expect, it } from 'vitest';

import { continued, cutAt, holding, levelOf, linesOf, NOT_FETCHED, plain } from './log';

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
    { text: 'Chunk 3 is missing', gap: true },
    ...lines('', 'c'),
    { text: 'Chunks 5–9 are missing', gap: true },
  ]);
  expect(linesOf([])).toEqual([]);
});

/** Lines of a device that counts, from one to another, with a gap between the spans. */
function counting(...spans: [from: number, to: number][]) {
  const runs = spans.map(([from, to]) => lines(...Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}`)));
  return runs.flatMap((run, i) => (i === 0 ? run : [{ text: NOT_FETCHED, gap: true }, ...run]));
}

it.each([
  ['goes on where the one before ended', [[1, 10]], [[5, 14]], [[1, 14]]],
  ['adds nothing where nothing is new', [[1, 10]], [[1, 10]], [[1, 10]]],
  ['says where the two do not meet', [[1, 10]], [[20, 29]], [[1, 10], [20, 29]]], // prettier-ignore
  ['goes on after a place that was not fetched', [[1, 10], [20, 29]], [[22, 31]], [[1, 10], [20, 31]]], // prettier-ignore
  ['takes the place of all that it has again', [[1, 10], [20, 29]], [[1, 31]], [[1, 31]]], // prettier-ignore
  ['fills a gap when it reaches back over it', [[1, 10], [20, 29]], [[6, 31]], [[1, 31]]], // prettier-ignore
  ['brings what was before, too', [[5, 10]], [[1, 12]], [[1, 12]]],
  ['leaves a gap that it does not reach over', [[1, 10], [20, 29]], [[15, 31]], [[1, 10], [15, 31]]], // prettier-ignore
  ['keeps what it has a gap in itself', [[1, 10]], [[2, 4], [7, 14]], [[1, 14]]], // prettier-ignore
] satisfies [string, [number, number][], [number, number][], [number, number][]][])(
  'another fetch %s',
  (_, before, now, expected) => {
    expect(continued(counting(...before), counting(...now))).toEqual(counting(...expected));
  },
);

it('takes a line or two that stand alike for no meeting, and lines that are all alike for one', () => {
  expect(continued(lines('a', 'b', 'ok'), lines('ok', 'c', 'd'))).toEqual([
    ...lines('a', 'b', 'ok'),
    { text: NOT_FETCHED, gap: true },
    ...lines('ok', 'c', 'd'),
  ]);
  expect(continued([], lines('a'))).toEqual(lines('a'));
  expect(continued(lines('a', 'a', 'a'), lines('a', 'a', 'a', 'b'))).toEqual(lines('a', 'a', 'a', 'b'));
  const alike = Array.from({ length: 90_000 }, () => ({ text: 'tick', gap: false }));
  const odd = alike.map((line, i) => (i === 45_000 ? { text: 'tock', gap: false } : line));
  const begun = performance.now();
  continued(alike, odd);
  continued(odd, alike);
  expect(performance.now() - begun).toBeLessThan(1_000);
});

it('adds nothing of a fetch of which nothing came', () => {
  expect(continued(lines('a'), [{ text: 'Chunk 1 is missing', gap: true }])).toEqual(lines('a'));
});

it('continues after missing chunks, without a second gap', () => {
  const broken = linesOf([
    { first: 1, last: 1, text: 'a\nb\nc\n' },
    { first: 2, last: 2, text: null },
  ]);
  expect(continued(broken, lines('a', 'b', 'c', 'd'))).toEqual(lines('a', 'b', 'c', 'd'));
});

it('marks a gap on the clipboard', () => {
  expect(plain([...lines('a'), { text: NOT_FETCHED, gap: true }, ...lines('b')])).toBe(`a\n[${NOT_FETCHED}]\nb\n`);
});

it('keeps a hundred thousand lines', () => {
  const many = Array.from({ length: 100_000 }, (_, i) => ({ text: `${i}`, gap: false }));
  const on = continued(many, lines('99997', '99998', '99999', 'new'));
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
