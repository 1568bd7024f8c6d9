import { describe, expect, it, onTestFinished, vi } from 'vitest';

import type { Backend } from '../backend/backend';
import type { DeviceColumns } from '../backend/bindings/DeviceColumns';
import type { DeviceGroup } from '../backend/bindings/DeviceGroup';
import { Fleet } from './fleet.svelte';
import type { Inspected } from './inspected.svelte';
import { Selection } from './selection.svelte';

/** A selection over a list that the test answers with. */
function selectionOf() {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const answers: ((columns: DeviceColumns) => void)[] = [];
  const backend = {
    deviceColumns: () =>
      new Promise<DeviceColumns>((resolve, reject) => {
        answers.push((columns) => (columns.devices === null ? reject(new Error('no list')) : resolve(columns)));
      }),
    deviceRows: () => Promise.resolve([]),
    compareDevices: (_: string, devices: string[]) => Promise.resolve({ devices: devices.length }),
  } as unknown as Backend;
  const fleet = new Fleet(backend);
  const inspected = { connection: null as string | null, device: null as string | null, choose };
  function choose(connection: string, device: string) {
    Object.assign(inspected, { connection, device });
  }
  const selection = new Selection(backend, fleet, inspected as unknown as Inspected);
  let revision = 0;
  /** Answers the latest question. */
  const list = async (devices: string[] | null, groups: DeviceGroup[] = []) => {
    revision += 1;
    const none = (devices ?? []).map(() => 0);
    const counts = { online: 0, offline: 0, unknown: 0, states: {} as never, firmware: [], tags: [] };
    answers.at(-1)?.({ revision, devices, groups, presence: none, states: none, values: null, total: 9, counts });
    for (let i = 0; i < 5; i++) await Promise.resolve();
  };
  fleet.open('bench');
  return { fleet, selection, list, chosen: () => [...selection.ids] };
}

const group = (tag: string, from: number, count: number): DeviceGroup => ({
  key: { by: 'tag', tag },
  search: `tag:${tag}`,
  from,
  count,
  elsewhere: 0,
});

describe('a selection', () => {
  it('is kept while devices come, go and change places, and offers those that are new', async () => {
    const { fleet, selection, list, chosen } = selectionOf();
    await list(['a', 'b', 'c']);
    selection.all('bench');
    expect([chosen(), selection.missing]).toEqual([['a', 'b', 'c'], 0]);
    fleet.refresh();
    vi.advanceTimersByTime(1_000);
    await list(['d', 'c', 'b']);
    expect([chosen(), selection.missing]).toEqual([['a', 'b', 'c'], 1]);
    selection.all('bench');
    expect([selection.inOrder(), selection.missing]).toEqual([['d', 'c', 'b', 'a'], 0]);
  });

  it('never holds the list before, while the one that is meant is loading or cannot be read', async () => {
    const { fleet, selection, list, chosen } = selectionOf();
    await list(['a', 'b', 'c']);
    fleet.find({ tokens: [], text: 'b' });
    selection.all('bench');
    expect([chosen(), selection.missing]).toEqual([[], 0]);
    await list(['b', 'bb']);
    selection.all('bench');
    expect(chosen()).toEqual(['b', 'bb']);
    fleet.find({ tokens: [], text: 'is:sideways' });
    await list(null);
    selection.clear();
    selection.all('bench');
    expect([fleet.failure !== null, chosen(), selection.missing]).toEqual([true, [], 0]);
  });

  it('takes in a group, folded or not, and leaves it out again', async () => {
    const { fleet, selection, list, chosen } = selectionOf();
    fleet.groupBy('tag');
    const groups = [group('x', 0, 2), group('y', 2, 2)] as [DeviceGroup, DeviceGroup];
    await list(['x1', 'x2', 'y1', 'y2'], groups);
    selection.only('bench', 'x1');
    fleet.fold(groups[1]);
    selection.toggleGroup('bench', groups[1]);
    expect(chosen()).toEqual(['y1', 'y2']);
    selection.toggle('bench', 'x2');
    selection.toggleGroup('bench', groups[0]);
    expect(chosen()).toEqual(['y1', 'y2', 'x2', 'x1']);
    selection.toggleGroup('bench', groups[1]);
    expect(chosen()).toEqual(['x2', 'x1']);
  });

  it('has no devices of a folded group between its ends', async () => {
    const { fleet, selection, list, chosen } = selectionOf();
    fleet.groupBy('tag');
    const groups = [group('x', 0, 2), group('y', 2, 2), group('z', 4, 2)];
    await list(['x1', 'x2', 'y1', 'y2', 'z1', 'z2'], groups);
    selection.only('bench', 'x2');
    selection.rangeTo('bench', 'z1');
    expect(chosen()).toEqual(['x2', 'y1', 'y2', 'z1']);
    fleet.fold(groups[1] as DeviceGroup);
    selection.only('bench', 'x2');
    selection.rangeTo('bench', 'z1');
    expect(chosen()).toEqual(['x2', 'z1']);
    // On the wall all are seen.
    fleet.wall = true;
    selection.rangeTo('bench', 'z2');
    expect(chosen()).toEqual(['x2', 'y1', 'y2', 'z1', 'z2']);
  });
});
