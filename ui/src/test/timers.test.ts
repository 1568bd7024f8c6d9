import { expect, test } from 'vitest';

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
