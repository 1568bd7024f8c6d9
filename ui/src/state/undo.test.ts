import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { Notices } from './notices.svelte';
import { Undo } from './undo.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function withUndo() {
  const notices = new Notices();
  vi.spyOn(notices, 'reportError').mockImplementation((reason) => expect.unreachable(String(reason)));
  const undo = new Undo(notices);
  const messages = () => notices.list.map(({ message }) => message);
  return { notices, undo, messages };
}

it('is no longer offered when its time is over, also where its notice is still shown', async () => {
  const { notices, undo, messages } = withUndo();
  const undone = vi.fn(async () => 'Undone.');
  undo.offer('Forgot pump-7.', undone, 30);
  // The pointer is on the notice, so it stays.
  notices.busy = true;
  await vi.advanceTimersByTimeAsync(29_000);
  expect([undo.available, messages()]).toEqual([true, ['Forgot pump-7.']]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect([undo.available, messages()]).toEqual([false, []]);
  await undo.last();
  expect(undone).not.toHaveBeenCalled();
});

it('leaves no timer behind once it is undone', async () => {
  const { undo } = withUndo();
  undo.offer('Forgot pump-7.', async () => 'Restored pump-7.', 3_600);
  await undo.last();
  // Notices end by themselves, long before.
  await vi.advanceTimersByTimeAsync(60_000);
  expect(vi.getTimerCount()).toBe(0);
});

it('without a limit is offered until it is undone, and the oldest of many no longer', async () => {
  const { undo, messages } = withUndo();
  const undone: number[] = [];
  for (let i = 0; i < 25; i++) {
    undo.offer(`Done ${i}.`, async () => {
      undone.push(i);
      return `Undone ${i}.`;
    });
  }
  expect(messages()[0]).toBe('Done 5.');
  await vi.advanceTimersByTimeAsync(3_600_000);
  for (let i = 0; i < 25; i++) await undo.last();
  expect(undone).toEqual(Array.from({ length: 20 }, (_, i) => 24 - i));
});
