import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { Throttle } from './throttle';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('runs at once where what was run is no longer meant, and then at most once a pause', () => {
  const run = vi.fn();
  const throttle = new Throttle(250, run);
  throttle.ask();
  throttle.ask();
  throttle.now();
  expect(run).toHaveBeenCalledTimes(2);
  throttle.ask();
  vi.advanceTimersByTime(240);
  expect(run).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(1_000);
  expect(run).toHaveBeenCalledTimes(3);
});

it('runs at once, then at most once a pause, and never forgets the last', () => {
  const run = vi.fn();
  const throttle = new Throttle(250, run);
  for (let i = 0; i < 100; i++) {
    throttle.ask();
    vi.advanceTimersByTime(10);
  }
  expect(run).toHaveBeenCalledTimes(5);
  vi.advanceTimersByTime(1_000);
  expect(run).toHaveBeenCalledTimes(5);
  throttle.ask();
  expect(run).toHaveBeenCalledTimes(6);
});

it('runs a few times without a pause after a rest, and then as seldom as ever', () => {
  const run = vi.fn();
  const throttle = new Throttle(250, run, 3);
  throttle.ask();
  throttle.ask();
  expect(run).toHaveBeenCalledTimes(2);
  for (let i = 0; i < 100; i++) {
    throttle.ask();
    vi.advanceTimersByTime(10);
  }
  // Three at once, and one after each of four pauses.
  expect(run).toHaveBeenCalledTimes(7);
  vi.advanceTimersByTime(5_000);
  for (let i = 0; i < 9; i++) throttle.ask();
  expect(run).toHaveBeenCalledTimes(10);
});
