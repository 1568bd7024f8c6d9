import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import type { Backend } from '../../backend/backend';
import type { Batch } from '../../backend/bindings/Batch';
import type { LogView } from '../../backend/bindings/LogView';
import type { NewCommand } from '../../backend/bindings/NewCommand';
import { NOT_FETCHED } from '../../format/log';
import { sendingOver } from '../../test/sending';
import { DeviceLog, FOLLOW_EVERY } from './deviceLog.svelte';

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
    checkCommand: async () => ({ refused: null, confirmation: 'none', devices: [] }),
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
  const log = new DeviceLog(backend as unknown as Backend, sendingOver(backend as unknown as Backend));
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

it('replaces an earlier log, and then only its own', async () => {
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

it('remembers the newest commands that following it has sent, and not all of them', async () => {
  const { log, rounds, asked } = open();
  await log.fetch('c', 'pump');
  log.follow();
  await rounds(210);
  expect(asked()).toBeGreaterThan(205);
  const known = Array.from({ length: asked() }, (_, i) => log.hasAskedBecauseFollowed(String(i + 1)));
  expect(known.filter(Boolean)).toHaveLength(200);
  expect([known[1], known.at(-1)]).toEqual([false, true]);
});

/** A device that counts lines; each request is answered when the test says so. */
function counting() {
  const device = { written: 1_000, wanted: 0 };
  const views = new Map<string, LogView>();
  const backend = {
    checkCommand: async () => ({ refused: null, confirmation: 'none', devices: [] }),
    send: async ({ args }: { args: string }) => {
      const id = String(views.size + 1);
      const of = device.written - ((JSON.parse(args) as { lines?: number }).lines ?? device.written);
      const text = Array.from({ length: device.written - of }, (_, i) => `line ${of + i}\n`).join('');
      const parts = [{ first: 1, last: 1, text }];
      const view = { connection: 'c', device: 'pump', id, asked_at: 0, sentence: '', bytes: text.length, of: 1 };
      views.set(id, { ...view, standing: 'whole', have: 1, parts });
      return { ids: [id] };
    },
    log: async (_connection: string, _device: string, id: string) => views.get(id),
    logs: async () => [...views.keys()].reverse().map((id) => ({ id, begun_at: 0 })),
    forgetLog: async () => undefined,
  };
  const log = new DeviceLog(backend as unknown as Backend, sendingOver(backend as unknown as Backend));
  return { log, device, views, backend, texts: () => log.lines.map(({ text }) => text) };
}

const heard = { commands: [], devices: [], changed_devices: [['c', 'pump']] } as unknown as Batch;

it('marks gaps of a followed log, duplicates nothing, and is complete again after a larger fetch', async () => {
  const { log, device, texts } = counting();
  await log.fetch('c', 'pump');
  await vi.advanceTimersByTimeAsync(500);
  log.follow();
  device.written += 20_000;
  await vi.advanceTimersByTimeAsync(500);
  const gap = texts().indexOf(NOT_FETCHED);
  expect(texts().slice(gap - 1, gap + 2)).toEqual(['line 999', NOT_FETCHED, 'line 20000']);
  expect([log.breaks, log.isJoined, log.fetched]).toEqual([1, true, 1_000]);
  device.written += 10;
  await vi.advanceTimersByTimeAsync(FOLLOW_EVERY + 500);
  expect(log.lines).toHaveLength(2_011);
  log.amount = null;
  device.written += 10;
  await vi.advanceTimersByTimeAsync(FOLLOW_EVERY + 500);
  expect(texts()).toEqual(Array.from({ length: 21_020 }, (_, i) => `line ${i}`));
  expect([log.breaks, log.isJoined]).toEqual([0, false]);
});

it('shows what has come until what is asked for again has come, too', async () => {
  const { log, device, backend, views } = counting();
  await log.fetch('c', 'pump');
  await vi.advanceTimersByTimeAsync(500);
  const before = { view: log.view, lines: log.lines, id: log.id };
  const whole = backend.log;
  backend.log = async (...asked) => {
    const view = await whole(...asked);
    return view && { ...view, standing: 'coming', have: 0, bytes: 0, parts: [] };
  };
  log.follow();
  device.written += 1;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(views.size).toBe(2);
  expect(log.awaited).toMatchObject({ id: '2', view: { standing: 'coming' } });
  expect(log).toMatchObject({ ...before, command: null });
  backend.log = whole;
  log.take(heard);
  await vi.advanceTimersByTimeAsync(500);
  expect(log).toMatchObject({ id: '2', awaited: null, view: { standing: 'whole' } });
  expect(log.kept.map(({ id }) => id)).toContain('2');
  expect(log.lines).toHaveLength(1_001);
});

it('keeps the shown lines when a fetch returns nothing, and shows the failed command', async () => {
  const { log, backend } = counting();
  await log.fetch('c', 'pump');
  await vi.advanceTimersByTimeAsync(500);
  const whole = backend.log;
  backend.log = async (...asked) => {
    const view = await whole(...asked);
    return (
      view && { ...view, standing: 'gaps', have: 0, bytes: 0, parts: [{ first: 1, last: 1, text: null as never }] }
    );
  };
  const command = { connection: 'c', device: 'pump', id: '2', state: 'timed_out', changed_at: 1 };
  log.follow();
  await vi.advanceTimersByTimeAsync(0);
  await vi.advanceTimersByTimeAsync(100);
  log.take({ ...heard, commands: [command] } as unknown as Batch);
  expect(log).toMatchObject({ id: '1', inVain: command, view: { standing: 'whole' } });
  expect(log.lines).toHaveLength(1_000);
  backend.log = whole;
  await vi.advanceTimersByTimeAsync(FOLLOW_EVERY + 500);
  expect(log.inVain).toBeNull();
});
