import { afterEach, expect, it, vi } from 'vitest';

import { fakeBackend } from '../backend/fake';
import { view } from '../backend/fake/connections';
import type { Batch } from '../backend/bindings/Batch';
import { Connections } from './connections.svelte';
import { Preferences } from './preferences.svelte';

const A = view({ id: 'a', name: 'A' });
const B = view({ id: 'b', name: 'B' });
const C = view({ id: 'c', name: 'C' });

const batch = (connections: Batch['connections']): Batch => ({
  sequence: 1,
  now: 0,
  connections,
  commands: [],
  more_commands: false,
  devices: [],
  changed_devices: [],
  device_states: [],
  rollouts: [],
  notices: [],
});

async function open() {
  const backend = fakeBackend({ connections: [A, B] });
  const connections = new Connections(backend, new Preferences(backend));
  await connections.load();
  const order = () => connections.list.map(({ id }) => id).join('');
  return { backend, connections, order };
}

afterEach(() => void vi.useRealTimers());

it('draws the gauges every two seconds, however often a connection changes, and the last values always', async () => {
  const { connections } = await open();
  vi.useFakeTimers();
  const current = (trip: number) => [{ ...A, round_trip_ms: trip, in_per_second: trip }, B];
  for (let ms = 0; ms <= 5_000; ms += 50) {
    connections.take(batch(current(ms)));
    vi.advanceTimersByTime(50);
  }
  expect(connections.gauges.trip).toEqual([0, 1_950, 3_950]);
  expect(connections.current?.round_trip_ms).toBe(5_000);
  // A connection that no longer changes causes no more updates.
  vi.advanceTimersByTime(2_000);
  expect(connections.gauges.latest?.round_trip_ms).toBe(5_000);
  vi.advanceTimersByTime(10_000);
  expect(connections.gauges.trip).toHaveLength(4);
  // The gauges of another connection begin anew.
  connections.choose('b');
  connections.take(batch(current(7)));
  expect(connections.gauges.inward).toHaveLength(1);
});

it('keeps a new order although an older batch comes in', async () => {
  const { connections, order } = await open();
  expect(await connections.move('b', -1)).toBe(1);
  connections.take(batch([A, B]));
  expect(order()).toBe('ba');
  connections.take(batch([A, B, C]));
  expect(order()).toBe('abc');
});

it('restores the stored order if the new one was refused', async () => {
  const { backend, connections, order } = await open();
  backend.orderConnections = () => Promise.reject(new Error('no'));
  await expect(connections.move('b', -1)).rejects.toThrow('no');
  expect(order()).toBe('ab');
});

it('looks at a new connection, and at no other because it was changed', async () => {
  const { connections } = await open();
  connections.choose('a');
  connections.edit(B);
  const address = 'mqtt://localhost:1883';
  if (connections.wizard) Object.assign(connections.wizard.form, { name: 'Bench', address });
  expect(await connections.save()).toMatchObject({ id: 'b', name: 'Bench' });
  expect(connections.current?.id).toBe('a');

  connections.add();
  if (connections.wizard) Object.assign(connections.wizard.form, { name: 'C', address });
  const added = await connections.save();
  expect(connections.current?.id).toBe(added?.id);
  expect(added?.name).toBe('C');
});

it('reports that the shown one was removed, whoever removed it', async () => {
  const { connections } = await open();
  const lost: string[] = [];
  connections.onlost = ({ id }, here) => lost.push(`${id} ${connections.chosen} ${here}`);
  connections.choose('b');
  connections.take(batch([A, B, C]));
  connections.take(batch([A, B]));
  expect(lost).toEqual([]);
  connections.take(batch([A]));
  expect(lost).toEqual(['b a false']);
  await connections.remove('a');
  connections.take(batch([]));
  expect(lost).toEqual(['b a false', 'a a true']);
});

it('does not move beyond the ends', async () => {
  const { connections, order } = await open();
  expect(await connections.move('a', -1)).toBe(1);
  expect(order()).toBe('ab');
});
