import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import type { Notice } from '../backend/bindings/Notice';
import { Notices } from './notices.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const unreadable = (topic: string, connection = 'bench'): Notice => ({
  level: 'warning',
  message: `This answer is unreadable: it is no JSON. It came on ${topic}.`,
  hint: 'It does not change the state of a command.',
  connection,
});
const told = (level: Notice['level'], message: string): Notice => ({ level, message, hint: null, connection: null });

it('lets a warning rest, keeps an error up, and lets news go', () => {
  const notices = new Notices();
  notices.add([told('info', 'News.'), told('warning', 'Odd.'), told('error', 'Full.')]);
  expect(notices.shown).toHaveLength(3);
  vi.advanceTimersByTime(13_000);
  expect(notices.shown.map(({ message }) => message)).toEqual(['Full.']);
  expect(notices.wrong.map(({ message }) => message)).toEqual(['Odd.', 'Full.']);
  notices.toggle();
  expect(notices.shown).toEqual([]);
  notices.toggle();
  expect(notices.shown).toHaveLength(2);
  notices.dismiss(notices.list[0]?.id ?? 0);
  expect(notices.shown.map(({ message }) => message)).toEqual(['Full.']);
});

it('takes nothing away under a hand', () => {
  const notices = new Notices();
  notices.add([told('warning', 'Odd.')]);
  notices.busy = true;
  vi.advanceTimersByTime(30_000);
  expect(notices.shown).toHaveLength(1);
  notices.busy = false;
  vi.advanceTimersByTime(4_000);
  expect(notices.shown).toEqual([]);
});

it('gathers what is of one kind, which comes up again only after a while', () => {
  const notices = new Notices();
  notices.add([unreadable('a/res'), unreadable('b/res'), unreadable('a/res', 'plant')]);
  expect(notices.list.map(({ times, connection }) => [times, connection])).toEqual([
    [2, 'bench'],
    [1, 'plant'],
  ]);
  expect(notices.list[0]?.message).toContain('b/res');
  vi.advanceTimersByTime(13_000);
  notices.add([unreadable('c/res')]);
  expect(notices.shown).toEqual([]);
  expect(notices.list[0]?.times).toBe(3);
  vi.advanceTimersByTime(61_000);
  notices.add([unreadable('c/res')]);
  expect(notices.shown.map(({ times }) => times)).toEqual([4]);
  vi.advanceTimersByTime(13_000);
  expect(notices.shown).toEqual([]);
});

it('removes notices of a removed connection', () => {
  const notices = new Notices();
  notices.add([unreadable('a/res'), unreadable('a/res', 'plant'), told('error', 'Full.')]);
  notices.keepOf([{ id: 'plant' }]);
  expect(notices.list.map(({ connection }) => connection)).toEqual(['plant', null]);
});
