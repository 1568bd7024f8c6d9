import { describe, expect, it, onTestFinished, vi } from 'vitest';

import type { Backend } from '../backend/backend';
import type { Batch } from '../backend/bindings/Batch';
import type { DeviceColumns } from '../backend/bindings/DeviceColumns';
import type { DeviceRow } from '../backend/bindings/DeviceRow';
import { Fleet } from './fleet.svelte';

/** A backend that answers when the test says so, in any order. */
function slowBackend() {
  const answers: ((columns: DeviceColumns) => void)[] = [];
  const asked: string[][] = [];
  const deviceColumns = () => new Promise<DeviceColumns>((resolve) => answers.push(resolve));
  const deviceRows = (_: string, devices: string[]) => {
    asked.push(devices);
    return Promise.resolve(devices.map((device) => ({ device, last_command: null }) as DeviceRow));
  };
  const fleet = new Fleet({ deviceColumns, deviceRows } as unknown as Backend);
  let revision = 0;
  const answer = async (question: number, devices: string[] | null, columns: Partial<DeviceColumns> = {}) => {
    const none = () => (devices ?? []).map(() => 0);
    if (devices !== null) revision += 1;
    answers[question]?.({
      revision,
      devices,
      groups: [],
      presence: none(),
      states: none(),
      values: null,
      total: none().length,
      counts: { online: 0, offline: 0, unknown: 0, states: {} as never, firmware: [], tags: [] },
      ...columns,
    });
    for (let i = 0; i < 5; i++) await Promise.resolve();
  };
  return { fleet, answer, asked, questions: () => answers.length };
}

const batch = (given: Partial<Batch>): Batch => ({
  sequence: 1,
  now: 0,
  connections: null,
  commands: [],
  more_commands: false,
  devices: ['bench'],
  changed_devices: [],
  device_states: [],
  rollouts: [],
  notices: [],
  ...given,
});

describe('the list of devices', () => {
  it('is not undone by an earlier answer that comes later', async () => {
    const { fleet, answer } = slowBackend();
    fleet.open('bench');
    fleet.refresh();
    await answer(1, ['pump-1']);
    await answer(0, []);
    expect(fleet.matching).toBe(1);
    expect(fleet.row(0)?.device).toBe('pump-1');
  });

  it('keeps nothing of another list, whichever question is answered first', async () => {
    const { fleet, answer } = slowBackend();
    fleet.open('bench');
    await answer(0, ['old-0', 'old-1']);
    fleet.find({ tokens: [], text: 'pump' });
    expect([fleet.reloading, fleet.idAt(0)]).toEqual([true, 'old-0']);
    await answer(1, ['pump-1']);
    expect([fleet.reloading, fleet.idAt(0), fleet.idAt(1)]).toEqual([false, 'pump-1', undefined]);
  });

  it('stays the same object while it is the same list, and tells only of what looks different', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { fleet, answer } = slowBackend();
    fleet.open('bench');
    await answer(0, ['pump-1', 'pump-2']);
    const { list } = fleet;
    const told: (readonly number[] | null)[] = [];
    fleet.onTiles((places) => told.push(places));
    fleet.refresh();
    await answer(1, null, { presence: [0, 0], states: [0, 0] });
    expect([fleet.list === list, told]).toEqual([true, []]);
    fleet.refresh();
    vi.advanceTimersByTime(1_000);
    await answer(2, null, { presence: [0, 1], states: [0, 0] });
    expect([fleet.list === list, told, fleet.presenceAt(1)]).toEqual([true, [[1]], 'offline']);
  });

  it('requests visible rows and those around them once', async () => {
    const { fleet, answer, asked } = slowBackend();
    fleet.open('bench');
    await answer(
      0,
      Array.from({ length: 1_000 }, (_, i) => `pump-${i}`),
    );
    fleet.see({ from: 500, to: 510 });
    expect(asked.at(-1)?.[0]).toBe('pump-440');
    expect(asked.at(-1)).toHaveLength(130);
    fleet.see({ from: 505, to: 515 });
    expect(asked.at(-1)).toEqual(['pump-570', 'pump-571', 'pump-572', 'pump-573', 'pump-574']);
  });

  it('requests only visible rows again, and keeps unchanged ones', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { fleet, answer, asked } = slowBackend();
    fleet.open('bench');
    await answer(
      0,
      Array.from({ length: 1_000 }, (_, i) => `pump-${i}`),
    );
    fleet.see({ from: 500, to: 510 });
    await vi.advanceTimersByTimeAsync(300);
    const { rows } = fleet;
    expect(rows.size).toBeGreaterThan(100);
    // So many have changed that they are not named.
    const all = Array.from({ length: 200 }, (_, i): [string, string] => ['bench', `other-${i}`]);
    fleet.take(batch({ changed_devices: all }));
    await vi.advanceTimersByTimeAsync(300);
    expect(asked.at(-1)).toEqual(Array.from({ length: 10 }, (_, i) => `pump-${500 + i}`));
    // Nothing of them is different.
    expect(fleet.rows).toBe(rows);
    // Those around them are asked for as soon as the list scrolls there.
    fleet.see({ from: 520, to: 530 });
    expect(asked.at(-1)).toEqual(expect.arrayContaining(['pump-520', 'pump-589']));
  });

  it('shows what a device reports at once, and no older row that comes later', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const answers: ((rows: DeviceRow[]) => void)[] = [];
    const { fleet, answer } = slowBackend();
    fleet.backend.deviceRows = () => new Promise((resolve) => answers.push(resolve));
    fleet.open('bench');
    await answer(0, ['lamp']);
    const answerRows = async (question: number, led: boolean) => {
      answers[question]?.([{ device: 'lamp', last_command: null, led } as DeviceRow]);
      await vi.advanceTimersByTimeAsync(0);
    };
    await answerRows(0, false);
    await vi.advanceTimersByTimeAsync(5_000);
    const before = answers.length;
    // Its command is sent and answered, and it reports.
    for (let change = 0; change < 2; change++) fleet.take(batch({ changed_devices: [['bench', 'lamp']] }));
    expect(answers).toHaveLength(before + 2);
    await answerRows(before + 1, true);
    await answerRows(before, false);
    expect(fleet.row(0)?.led).toBe(true);
  });

  it('reads a list of very many devices less often', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { fleet, answer, questions } = slowBackend();
    const few = ['pump-1', 'pump-2'];
    const many = Array.from({ length: 100_000 }, (_, i) => `pump-${i}`);
    fleet.open('bench');
    await answer(0, few);
    const readIn = async (ms: number) => {
      const before = questions();
      for (let at = 0; at < ms; at += 100) {
        fleet.take(batch({}));
        await vi.advanceTimersByTimeAsync(100);
      }
      return questions() - before;
    };
    expect(await readIn(3_900)).toBe(4);
    await answer(4, many);
    // The pause that has begun ends first.
    await readIn(1_100);
    expect(await readIn(3_900)).toBe(2);
  });

  it('keeps the counts while they are the same', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { fleet, answer } = slowBackend();
    fleet.open('bench');
    await answer(0, ['pump-1']);
    const { counts } = fleet;
    fleet.refresh();
    await answer(1, null, { presence: [0], states: [0] });
    expect(fleet.counts).toBe(counts);
    vi.advanceTimersByTime(1_000);
    fleet.refresh();
    const changed = { online: 1, offline: 0, unknown: 0, states: {} as never, firmware: [], tags: [] };
    await answer(2, null, { presence: [0], states: [0], counts: changed });
    expect(fleet.counts).toEqual(changed);
  });

  it('immediately shows presence and states from the feed', async () => {
    const { fleet, answer } = slowBackend();
    fleet.open('bench');
    await answer(0, ['pump-1', 'pump-2']);
    const heard: (readonly number[] | null)[] = [];
    fleet.onTiles((places) => heard.push(places));
    fleet.take(
      batch({
        device_states: [
          { connection: 'bench', devices: ['pump-2', 'pump-9'], presence: [1, 0], states: [8, 0], more: false },
          { connection: 'other', devices: ['pump-1'], presence: [1], states: [8], more: false },
        ],
      }),
    );
    expect([fleet.presenceAt(0), fleet.presenceAt(1), fleet.stateAt(1)]).toEqual(['online', 'offline', 'failed']);
    expect(heard).toEqual([[1]]);
  });

  it('keeps its order under the pointer until that leaves', async () => {
    const { fleet, answer } = slowBackend();
    fleet.open('bench');
    await answer(0, ['pump-1', 'pump-2']);
    fleet.see({ from: 0, to: 2 });
    fleet.hold(true);
    fleet.refresh();
    await answer(1, ['pump-2', 'pump-1']);
    expect([fleet.idAt(0), fleet.waiting !== null]).toEqual(['pump-1', true]);
    fleet.hold(false);
    expect([fleet.idAt(0), fleet.waiting]).toEqual(['pump-2', null]);
  });
});
