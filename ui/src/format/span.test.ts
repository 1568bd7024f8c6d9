import { expect, it } from 'vitest';

import { readSeconds, secondsText } from './span';

it.each([
  ['10', 10_000],
  ['0.5', 500],
  ['0,001', 1],
  [' 604800 ', 604_800_000],
  ['604801', null],
  ['0', null],
  ['', null],
  ['-1', null],
  ['1e3', null],
  ['ten', null],
  ['0.0001', null],
])('%j is so many milliseconds', (typed, expected) => {
  expect(readSeconds(typed)).toBe(expected);
});

it('is written as it is read', () => {
  expect(secondsText(60_000)).toBe('60');
  expect(secondsText(1_500)).toBe('1.5');
});
