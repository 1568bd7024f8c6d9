import { describe, expect, it } from 'vitest';

import { age, daysUntil, duration, exactClock, left, running, seenAgo, stale, when } from './time';

describe('durations', () => {
  it.each([
    [0.02, '<0.1 ms'],
    [0.4, '0.4 ms'],
    [31, '31 ms'],
    [412, '412 ms'],
    [999.6, '1.00 s'],
    [1_920, '1.92 s'],
    [9_990, '9.99 s'],
    [10_000, '10.0 s'],
    [60_000, '60.0 s'],
    [720_000, '12 min'],
    [7_200_000, '2 h'],
    [259_200_000, '3 d'],
    [-5, '0 ms'],
  ])('%d ms is %s', (ms, words) => expect(duration(ms)).toBe(words));

  it.each([
    [0, '0.0 s'],
    [1_340, '1.3 s'],
    [9_990, '9.9 s'],
    [59_900, '59 s'],
    [61_000, '1 min'],
  ])('%d ms and counting is %s', (ms, words) => expect(running(ms)).toBe(words));

  it.each([
    [0, '0 s'],
    [1, '0.1 s'],
    [8_650, '8.7 s'],
    [41_100, '42 s'],
    [170_000, '3 min'],
  ])('%d ms left is %s', (ms, words) => expect(left(ms)).toBe(words));
});

describe('ages', () => {
  it.each([
    [-200, 'now'],
    [900, 'now'],
    [1_000, '1 s'],
    [239_000, '3 min'],
    [8_000_000, '2 h'],
    [200_000_000, '2 d'],
  ])('%d ms ago is %s', (ms, words) => expect(age(ms)).toBe(words));

  it.each([
    [-200, '< 1 min'],
    [59_900, '< 1 min'],
    [61_000, '1 min'],
  ])('%d ms since a device was seen are %s', (ms, words) => expect(seenAgo(ms)).toBe(words));

  it.each([
    [-200, null],
    [9_999, null],
    [12_000, '12 s ago'],
    [3_700_000, '1 h ago'],
  ])('%d ms without anything new are %s', (ms, words) => expect(stale(ms)).toBe(words));
});

describe('clocks', () => {
  const now = new Date(2026, 10, 23, 14, 2, 11, 402).getTime();

  it('shows the time to the millisecond', () => expect(exactClock(now)).toBe('14:02:11.402'));
  it('is short today', () => expect(when(now - 60_000, now)).toBe('14:01:11'));
  it('names the weekday within a week', () => expect(when(now - 86_400_000, now)).toBe('Sun 14:02'));
  it('names the day before that', () => expect(when(now - 30 * 86_400_000, now)).toBe('2026-10-24'));
  it('counts whole days', () => {
    expect(daysUntil(now + 86_400_001, now)).toBe(1);
    expect(daysUntil(now - 1, now)).toBe(-1);
  });
});
