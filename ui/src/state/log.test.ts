import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import type { Backend } from '../backend/backend';
import type { LogView } from '../backend/bindings/LogView';
import type { NewCommand } from '../backend/bindings/NewCommand';
import { DeviceLog, FOLLOW_EVERY } from './log.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A device's log, of which a new one is kept for each request that it answers. */
function open() {
  const kept: string[] = [];
  let asked = 0;
  const device = { silent: false };
  const view = (id: string): LogView => ({
    connection: 'c',
    device: 'pump',
    id,
    asked_at: 0,
    standing: kept.includes(id) ? 'whole' : 'gaps',
    sentence: '',
    have: kept.includes(id) ? 1 : 0,
    of: 1,
    bytes: 2,
    parts: [{ first: 1, last: 1, text: kept.includes(id) ? 'a\n' : null }],
  });
  const backend = {
    send: async ({ again_of }: NewCommand) => {
      const id = String((asked += 1));
      if (device.silent) return { ids: [id] };
      // As the store does.
      if (kept.length === 5) kept.splice(Math.max(0, kept.indexOf(again_of ?? '')), 1);
      kept.push(id);
      return { ids: [id] };
    },
    log: async (_connection: string, _device: string, id: string) => view(id),
    logs: async () => kept.map((id) => ({ id, begun_at: 0 })).reverse(),
    forgetLog: async (_connection: string, _device: string, id: string) => {
      if (!kept.includes(id)) throw new Error('There is no such log.');
      kept.splice(kept.indexOf(id), 1);
    },
  };
  const log = new DeviceLog(backend as unknown as Backend);
  const fetch = async () => {
    await log.fetch('c', 'pump');
    await vi.advanceTimersByTimeAsync(1_000);
  };
  const rounds = (count: number) => vi.advanceTimersByTimeAsync(count * (FOLLOW_EVERY + 500));
  return { log, kept, device, fetch, rounds, asked: () => asked };
}

it('leaves what was fetched before it was followed, and the last that following fetched', async () => {
  const { log, kept, fetch, rounds, asked } = open();
  await fetch();
  await fetch();
  log.follow();
  await rounds(8);
  const last = String(asked());
  expect(asked()).toBeGreaterThan(8);
  expect(kept).toEqual(['1', '2', last]);
  expect(log.kept.map(({ id }) => id)).toEqual([last, '2', '1']);
  // What somebody asks for meanwhile is theirs.
  await fetch();
  const theirs = String(asked());
  await rounds(4);
  expect(kept).toEqual(['1', '2', theirs, String(asked())]);
  log.unfollow();
  await rounds(4);
  log.follow();
  await rounds(4);
  expect(kept).toEqual(['1', '2', theirs, expect.any(String), String(asked())]);
});

it('takes the place of one that was fetched before, and then only of its own', async () => {
  const { log, kept, device, fetch, rounds, asked } = open();
  for (let i = 0; i < 5; i++) await fetch();
  log.follow();
  await rounds(8);
  expect(kept).toEqual(['2', '3', '4', '5', String(asked())]);
  device.silent = true;
  await rounds(3);
  device.silent = false;
  await rounds(3);
  expect(kept).toEqual(['2', '3', '4', '5', String(asked())]);
});

it('does not give up the last log that came for one that does not come', async () => {
  const { log, kept, device, rounds, asked } = open();
  await log.fetch('c', 'pump');
  log.follow();
  await rounds(3);
  const last = kept.at(-1);
  device.silent = true;
  await rounds(3);
  expect(asked()).toBeGreaterThan(5);
  expect(kept).toEqual(['1', last]);
  device.silent = false;
  await rounds(3);
  expect(kept).toEqual(['1', String(asked())]);
});
