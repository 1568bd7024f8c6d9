import { expect, test, vi } from 'vitest';

import { stopTimers } from './timers';

let ticks = 0;

test('a timer runs while its page is there', async () => {
  setInterval(() => (ticks += 1), 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(ticks).toBeGreaterThan(0);
});

test('and ends with it', async () => {
  const before = ticks;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(ticks).toBe(before);
});

test('so does a frame that is pending, and those of the next page come', async () => {
  const late = vi.fn();
  requestAnimationFrame(late);
  stopTimers();
  await new Promise((resolve) => requestAnimationFrame(resolve));
  expect(late).not.toHaveBeenCalled();
});
