import { flushSync } from 'svelte';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';

import { engineTime, nowFor, seconds } from './clock.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  hide(false);
  engineTime.take(Date.now());
  vi.useRealTimers();
});

function hide(hidden: boolean): void {
  Object.defineProperty(document, 'hidden', { configurable: true, value: hidden });
  document.dispatchEvent(new Event('visibilitychange'));
}

/** Counts how often something that reads the time runs. */
function counting(read: () => number): () => number {
  let times = 0;
  const stop = $effect.root(() => {
    $effect(() => {
      read();
      times += 1;
    });
  });
  onTestFinished(stop);
  return () => times;
}

it('stops in a hidden window, and is correct when it is shown again', async () => {
  const times = counting(() => seconds.now);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(times()).toBe(4);
  hide(true);
  await vi.advanceTimersByTimeAsync(60_000);
  const hidden = times();
  hide(false);
  await vi.advanceTimersByTimeAsync(0);
  expect([hidden, times()]).toEqual([4, 5]);
});

it('ticks in tenths only while tenths are shown', async () => {
  const command = { queued_at: Date.now() - 60_000, deadline: null };
  const times = counting(() => nowFor(command));
  await vi.advanceTimersByTimeAsync(5_000);
  expect(times()).toBe(6);
  const young = counting(() => nowFor({ queued_at: Date.now(), deadline: null }));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(young()).toBe(11);
});

it.each([86_400_000, -86_400_000])('shows the engine’s time after the computer’s clock was set by %d ms', (step) => {
  const began = Date.now();
  const times = counting(() => seconds.now);
  flushSync();
  const command = { queued_at: began, deadline: began + 20_000 };
  vi.setSystemTime(began + step);
  engineTime.take(began + 200);
  flushSync();
  expect(times()).toBe(2);
  expect([seconds.now - began, nowFor(command) - began]).toEqual([200, 200]);
  // A batch that arrives a little later changes nothing, so no countdown jumps.
  vi.setSystemTime(began + step + 700);
  engineTime.take(began + 400);
  expect(seconds.now - began).toBe(900);
  // The engine follows once nothing waits.
  engineTime.take(Date.now());
  expect(seconds.now).toBe(Date.now());
});
