import { expect, it } from 'vitest';

import { fit } from './columns';

const COLUMNS = [
  { name: 'Device', least: 118, grows: 1.2 },
  { name: 'State', least: 136, most: 148 },
  { name: 'Seen', least: 44, rank: 2 },
  { name: 'Trip', least: 48, rank: 1 },
];
/** What these and what is between them need, with an id of 118 pixels. */
const ALL = 32 + 118 + 10 + 136 + 10 + 44 + 10 + 48;

const check = (width: number, longest: number) => {
  const { shown, template, letters } = fit(COLUMNS, width, longest);
  return [shown.map(({ name }) => name).join(' '), template, letters];
};

it('shows all columns where there is room, or nothing was measured yet', () => {
  const all = ['Device State Seen Trip', 'minmax(118px, 1.2fr) minmax(136px, 148px) 44px 48px', 10];
  expect(check(ALL, 10)).toEqual(all);
  expect(check(0, 10)).toEqual(all);
});

it('lets the least important go first', () => {
  expect(check(ALL - 1, 10)[0]).toBe('Device State Seen');
  expect(check(ALL - 58, 10)[0]).toBe('Device State Seen');
  expect(check(ALL - 59, 10)[0]).toBe('Device State');
  expect(check(200, 10)[0]).toBe('Device State');
});

it('gives an id what it needs, as far as there is something', () => {
  expect(check(ALL + 20, 19)).toEqual([
    'Device State Seen Trip',
    'minmax(137px, 1.2fr) minmax(136px, 148px) 44px 48px',
    19,
  ]);
  // For a longer one a column goes, for the longest no other.
  expect(check(ALL + 20, 22)[0]).toBe('Device State Seen');
  expect(check(ALL + 20, 22)[2]).toBe(22);
  expect(check(ALL + 20, 64)).toEqual(['Device State Seen', 'minmax(196px, 1.2fr) minmax(136px, 148px) 44px', 27]);
  expect(check(2_000, 64)[2]).toBe(40);
});
