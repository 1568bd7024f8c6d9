import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import type { Backend } from '../backend/backend';
import type { CommandView } from '../backend/bindings/CommandView';
import type { DeviceDetail } from '../backend/bindings/DeviceDetail';
import { command } from '../test/commands';
import { Catalogue } from './catalogue.svelte';
import { Inspected } from './inspected.svelte';
import { sendingOver } from '../test/sending';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('remembers at which boot the newest commands were first seen, and no more than that', async () => {
  const device = { boot: 'a', commands: [] as CommandView[] };
  const backend = {
    device: async () =>
      ({
        row: { connection: 'demo', device: 'kitchen-0417', boot: device.boot },
        running_config: null,
        saved_config: null,
        command_count: 0,
        commands: device.commands,
      }) as unknown as DeviceDetail,
  } as unknown as Backend;
  const inspected = new Inspected(backend, new Catalogue(backend), sendingOver(backend));
  const nth = (n: number) => command({ id: `c${n}`, queued_at: 1_000_000 + n });
  inspected.choose('demo', 'kitchen-0417');
  const look = async () => {
    inspected.refresh();
    await vi.advanceTimersByTimeAsync(300);
  };
  for (let n = 0; n < 300; n += 5) {
    device.commands = Array.from({ length: 5 }, (_, i) => nth(n + 4 - i));
    await look();
  }
  device.boot = 'b';
  await look();
  expect([299, 100, 99, 0].map((n) => inspected.hasRestartedSince(nth(n)))).toEqual([true, true, false, false]);
});

it('keeps what is known of a device while it is the same, however often it is read', async () => {
  const detail = {
    row: { connection: 'demo', device: 'kitchen-0417', boot: 'a', seen_at: 1 },
    running_config: null,
    saved_config: null,
    command_count: 1,
    commands: [command({ id: 'c1', queued_at: 1_000_000 })],
  };
  const backend = { device: async () => structuredClone(detail) as unknown as DeviceDetail } as unknown as Backend;
  const inspected = new Inspected(backend, new Catalogue(backend), sendingOver(backend));
  inspected.choose('demo', 'kitchen-0417');
  await vi.advanceTimersByTimeAsync(300);
  const known = inspected.detail;
  expect(known).not.toBeNull();
  for (let i = 0; i < 8; i++) {
    inspected.refresh();
    await vi.advanceTimersByTimeAsync(300);
  }
  expect(inspected.detail).toBe(known);
  detail.row.seen_at = 2;
  inspected.refresh();
  await vi.advanceTimersByTimeAsync(300);
  expect(inspected.detail?.row.seen_at).toBe(2);
});

it('shows what a device reports at once, and nothing older that comes later', async () => {
  const answers: ((detail: DeviceDetail) => void)[] = [];
  const backend = {
    device: () => new Promise<DeviceDetail>((resolve) => answers.push(resolve)),
  } as unknown as Backend;
  const inspected = new Inspected(backend, new Catalogue(backend), sendingOver(backend));
  const answer = async (question: number, led: boolean) => {
    const row = { connection: 'demo', device: 'kitchen-0417', boot: 'a', led };
    const detail = { row, running_config: null, saved_config: null, command_count: 0, commands: [] };
    answers[question]?.(detail as unknown as DeviceDetail);
    await vi.advanceTimersByTimeAsync(0);
  };
  inspected.choose('demo', 'kitchen-0417');
  await answer(0, false);
  await vi.advanceTimersByTimeAsync(5_000);
  // A command is sent, answered, and its device reports, all within a moment.
  for (let change = 0; change < 3; change++) inspected.refresh();
  expect(answers).toHaveLength(4);
  await answer(3, true);
  await answer(2, false);
  expect(inspected.detail?.row.led).toBe(true);
});
