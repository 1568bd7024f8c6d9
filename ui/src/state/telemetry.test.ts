import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';

import type { Backend } from '../backend/backend';
import type { Batch } from '../backend/bindings/Batch';
import { measurements } from '../backend/fake/telemetry';
import { engineTime } from './clock.svelte';
import { Measurements } from './telemetry.svelte';

const HEARD: Batch = {
  sequence: 1,
  now: 0,
  connections: null,
  commands: [],
  more_commands: false,
  devices: ['c'],
  changed_devices: [['c', 'pump']],
  device_states: [],
  rollouts: [],
  notices: [],
};

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function watch() {
  const telemetry = vi.fn<Backend['telemetry']>(async (query) => measurements(query, 1_000, Date.now()));
  const watched = new Measurements({ telemetry } as unknown as Backend, 100);
  watched.choose('c', 'pump');
  /** How often what is drawn was asked for. */
  const drawn = () => telemetry.mock.calls.filter(([{ points }]) => points === 100).length;
  return { watched, telemetry, drawn };
}

it('updates with new values, at most once per second', async () => {
  const { watched, telemetry } = watch();
  for (let i = 0; i < 20; i++) {
    watched.take(HEARD);
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(telemetry.mock.calls.length).toBeGreaterThan(1);
  expect(telemetry.mock.calls.length).toBeLessThan(5);
  watched.take({ ...HEARD, changed_devices: [['c', 'other']] });
  const before = telemetry.mock.calls.length;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(telemetry.mock.calls.length - before).toBeLessThan(2);
});

it('asks for the engine’s time after the computer’s clock was set', async () => {
  const right = Date.now();
  vi.setSystemTime(right + 86_400_000);
  engineTime.take(right);
  onTestFinished(() => engineTime.take(Date.now()));
  const { watched, telemetry } = watch();
  await vi.advanceTimersByTimeAsync(0);
  expect(telemetry.mock.calls[0]?.[0]).toMatchObject({ from: right - 300_000, to: null });
  expect(watched.askedAt).toBe(right);
});

it('reloads a long time range only occasionally', async () => {
  const { watched, telemetry, drawn } = watch();
  watched.show('7d');
  await vi.advanceTimersByTimeAsync(2_000);
  telemetry.mockClear();
  for (let i = 0; i < 50; i++) {
    watched.take(HEARD);
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(drawn()).toBe(0);
  await vi.advanceTimersByTimeAsync(20_000);
  watched.take(HEARD);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(drawn()).toBe(1);
});

it('has the latest values for a long time range too, and shows no age that was not requested', async () => {
  const { watched, telemetry } = watch();
  watched.show('all');
  await vi.advanceTimersByTimeAsync(2_000);
  const drawn = watched.view;
  const latest = () => {
    const [one] = watched.view?.series ?? [];
    if (!one) throw new Error('nothing is shown');
    return watched.latestOf(one);
  };
  for (let i = 0; i < 40; i++) {
    watched.take(HEARD);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(Date.now() - (latest().at ?? 0)).toBeLessThan(5_000);
  }
  expect(watched.view).toBe(drawn);
  // Where nothing is asked, the time does not make a value older.
  const { askedAt } = watched;
  telemetry.mockReturnValue(new Promise(() => undefined));
  for (let i = 0; i < 15; i++) {
    watched.moveOn();
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(watched.askedAt).toBe(askedAt);
  // What stands still shows what is drawn.
  watched.pause();
  expect([watched.goesOn, latest().at]).toEqual([false, drawn?.series[0]?.latest_at]);
});

it('does not move while it is paused or zoomed', async () => {
  const { watched, telemetry } = watch();
  await vi.advanceTimersByTimeAsync(2_000);
  watched.pause();
  telemetry.mockClear();
  watched.take(HEARD);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(telemetry).not.toHaveBeenCalled();
  watched.resume();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(telemetry).toHaveBeenCalledTimes(1);
  const to = watched.view?.to ?? 0;
  watched.zoomTo(to - 10_000, to - 5_000);
  await vi.advanceTimersByTimeAsync(2_000);
  // What lies beside it is asked for as well, so that lines continue to the edges.
  expect(telemetry.mock.calls.slice(-2).map(([{ from, to }]) => [from, to])).toEqual([
    [to - 10_000, to - 5_000],
    [to - 15_000, to],
  ]);
  telemetry.mockClear();
  watched.take(HEARD);
  watched.zoomTo(to, to + 10);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(telemetry).not.toHaveBeenCalled();
});

it('advances with time without new values, except while it is paused or zoomed', async () => {
  const { watched, telemetry, drawn } = watch();
  const silent = async () => {
    telemetry.mockClear();
    for (let i = 0; i < 10; i++) {
      watched.moveOn();
      await vi.advanceTimersByTimeAsync(1_000);
    }
    return drawn();
  };
  expect(await silent()).toBe(4);
  expect(Date.now() - (watched.view?.to ?? 0)).toBeLessThan(3_000);
  watched.show('24h');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await silent()).toBe(0);
  watched.show('5m');
  await vi.advanceTimersByTimeAsync(1_000);
  watched.scale(0.5);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await silent()).toBe(0);
  watched.reset();
  watched.pause();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await silent()).toBe(0);
});

it('comes back from a zoom to the time that was paused', async () => {
  const { watched } = watch();
  await vi.advanceTimersByTimeAsync(2_000);
  watched.pause();
  const paused = watched.view;
  await vi.advanceTimersByTimeAsync(60_000);
  watched.scale(0.5);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(watched.view?.from).toBeGreaterThan(paused?.from ?? 0);
  watched.reset();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(watched.live).toBe(false);
  expect(watched.view).toMatchObject({ from: paused?.from, to: paused?.to });
  watched.resume();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(watched.view?.to).toBeGreaterThan((paused?.to ?? 0) + 60_000);
});

it('shows further back, and nothing of the future', async () => {
  const { watched } = watch();
  await vi.advanceTimersByTimeAsync(2_000);
  const now = Date.now();
  watched.scale(2);
  expect(watched.zoom).toEqual({ from: now - 600_000, to: now });
});

it('zooms about a time that is shown, and goes earlier and later by parts of it', async () => {
  const { watched } = watch();
  await vi.advanceTimersByTimeAsync(2_000);
  const { from = 0, to = 0 } = watched.view ?? {};
  const about = from + 60_000;
  watched.scale(0.5, about);
  expect(watched.zoom).toEqual({ from: from + 30_000, to: from + 180_000 });
  watched.scale(0.5, to + 1);
  expect(watched.zoom).toEqual({ from: from + 67_500, to: from + 142_500 });
  watched.pan(-1);
  expect(watched.zoom).toEqual({ from: from - 7_500, to: from + 67_500 });
  watched.pan(1);
  expect(watched.zoom).toEqual({ from: from + 67_500, to: from + 142_500 });
  watched.pan(100);
  const now = Date.now();
  expect(watched.zoom).toEqual({ from: now - 75_000, to: now });
});

it('requests another device immediately', async () => {
  const { watched, telemetry } = watch();
  await vi.advanceTimersByTimeAsync(100);
  watched.choose('c', 'valve');
  expect(telemetry.mock.lastCall?.[0].device).toBe('valve');
  await vi.advanceTimersByTimeAsync(10);
  expect(watched.view).not.toBeNull();
});
