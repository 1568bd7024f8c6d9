import { expect, it } from 'vitest';

import { axis, tickText } from './axis';

it.each([
  [2_400, [0, 400, 800, 1_200, 1_600, 2_000, 2_400]],
  [95, [0, 20, 40, 60, 80]],
  [0, [0]],
])('an axis of %i ms has round marks', (whole, marks) => {
  expect(axis(whole)).toEqual(marks);
});

it('marks are as short as they may be', () => {
  expect([0, 400, 1_000, 1_200, 60_000, 180_000].map(tickText)).toEqual([
    '0',
    '400 ms',
    '1 s',
    '1.2 s',
    '60 s',
    '3 min',
  ]);
});
