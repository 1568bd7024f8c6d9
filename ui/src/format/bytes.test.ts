import { expect, test } from 'vitest';

import { bytesOf, exactBytes } from './bytes';
import { bytes } from './count';

test('a size is read with its unit', () => {
  const check = (typed: string, expected: number | string) => {
    const read = bytesOf(typed);
    expect(read.ok ? read.value : read.why, typed).toBe(expected);
  };
  check('64 MB', 64_000_000);
  check(' 1.5gb ', 1_500_000_000);
  check('1,000 kB', 1_000_000);
  check('100000 B', 100_000);
  check('1 TB', 1_000_000_000_000);
  check('', 'Enter a size, for example 64 MB.');
  check('64', '“64” is not a size. Enter a number with its unit, for example 64 MB.');
  check('-1 MB', '“-1 MB” is not a size. Enter a number with its unit, for example 64 MB.');
  check('99999 TB', 'The size is too large.');
});

test('a size is shown as it can be typed', () => {
  for (const [size, text] of [
    [64_000_000, '64 MB'],
    [1_500_000_000, '1.5 GB'],
    [1_000_000_000_000, '1 TB'],
    [123_456, '123.456 kB'],
    [1_234_567, '1234.567 kB'],
    [7, '7 B'],
  ] as const) {
    expect(exactBytes(size)).toBe(text);
    expect(bytesOf(text)).toEqual({ ok: true, value: size });
  }
});

test('rounds the used size', () => {
  expect([999, 12_400, 210_000_000, 1_000_000_000].map(bytes)).toEqual(['999 B', '12.4 kB', '210.0 MB', '1.0 GB']);
});
