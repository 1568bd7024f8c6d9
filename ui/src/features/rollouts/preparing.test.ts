import { expect, it, onTestFinished, vi } from 'vitest';

import type { Batch } from '../../backend/bindings/Batch';
import type { NewRollout } from '../../backend/bindings/NewRollout';
import type { RolloutPlan } from '../../backend/bindings/RolloutPlan';
import { failure } from '../../backend/fake/failure';
import type { Rollouts } from './allRollouts.svelte';
import { Preparing } from './preparing.svelte';

/** News of the devices of a connection. */
const news = (connection: string) => ({ devices: [connection], connections: null }) as unknown as Batch;

async function settle() {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

it('makes its preview again while devices change, and keeps the newest one', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const asked: NewRollout[] = [];
  let offline = 0;
  const backend = {
    planRollout: async (spec: NewRollout) => {
      asked.push(spec);
      return { members: 2, offline, dangerous: false } as RolloutPlan;
    },
  };
  const catalogue = { find: () => null, load: () => Promise.resolve() };
  const preparing = new Preparing({ backend, catalogue } as unknown as Rollouts, {
    connection: 'bench',
    target: { by: 'devices', devices: ['a', 'b'] },
    command: { name: 'blink', args: '{}' },
  });
  // Without a plan there is nothing that could be outdated.
  preparing.take(news('bench'));
  expect(asked).toHaveLength(0);
  preparing.replan();
  vi.advanceTimersByTime(0);
  await settle();
  expect([asked.length, preparing.plan?.offline]).toEqual([1, 0]);

  offline = 1;
  preparing.take(news('another'));
  expect(asked).toHaveLength(1);
  preparing.take(news('bench'));
  await settle();
  expect([asked.length, preparing.plan?.offline]).toEqual([2, 1]);
  offline = 2;
  for (let i = 0; i < 20; i++) preparing.take(news('bench'));
  await settle();
  expect(asked).toHaveLength(2);
  vi.advanceTimersByTime(5_000);
  await settle();
  expect([asked.length, preparing.plan?.offline]).toEqual([3, 2]);
});

it('sends only to the confirmed devices, and asks again if there are others', async () => {
  let plan = { members: 30, fingerprint: 'thirty', dangerous: true, confirmation: 'none' } as RolloutPlan;
  const started: NewRollout[] = [];
  const backend = {
    planRollout: async () => plan,
    startRollout: async (spec: NewRollout) => {
      started.push(spec);
      if (spec.expected?.fingerprint === plan.fingerprint) return { id: '1', stages: [{}] };
      throw failure('changed', '30 devices were confirmed, but now there are 31.', null);
    },
    devices: async () => ({ matching: plan.members }),
  };
  const catalogue = { find: () => null, load: () => Promise.resolve() };
  const rollouts = { backend, catalogue, learn: () => undefined, route: { screen: 'fleet' } };
  const preparing = new Preparing(rollouts as unknown as Rollouts, {
    connection: 'bench',
    target: { by: 'search', search: 'is:online' },
    command: { name: 'restart', args: '{}' },
  });
  preparing.plan = plan;
  preparing.typedNumber = '30';
  plan = { ...plan, members: 31, fingerprint: 'thirty-one' };
  expect(await preparing.start()).toBe(false);
  expect(started[0]?.expected).toEqual({ count: 30, fingerprint: 'thirty' });
  expect(preparing.failure?.message).toContain('now there are 31');
  expect([preparing.plan?.members, preparing.typedNumber, preparing.isCounted]).toEqual([31, '', false]);

  expect(await preparing.start()).toBe(false);
  expect(started).toHaveLength(1);
  preparing.typedNumber = '31';
  expect(await preparing.start()).toBe(true);
  expect(started[1]?.expected).toEqual({ count: 31, fingerprint: 'thirty-one' });
});
