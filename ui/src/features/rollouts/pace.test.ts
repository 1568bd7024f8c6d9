import { expect, it } from 'vitest';

import type { RolloutView } from '../../backend/bindings/RolloutView';
import { counts, rolloutView } from '../../test/rollouts';
import { Pace } from './pace';

/** A rollout of 1,000 devices in two stages of 100 and 900, of which so many have ended in this stage. */
function at(ms: number, stage: number, ended: number, given: Partial<RolloutView> = {}, held = 0): RolloutView {
  const of = (members: number, place: number) => {
    const done = place < stage ? members : place === stage ? ended : 0;
    const waiting = place === stage ? held : 0;
    const stageCounts = counts({ succeeded: done, held: waiting, pending: members - done - waiting });
    return { members, counts: stageCounts, waiting_for_offline: 0, started_at: 0, ended_at: null, closed: false };
  };
  return { ...rolloutView(), state: 'running', stage, stages: [100, 900].map(of), changed_at: ms, ...given };
}

it('says how long a stage still takes once enough devices have ended', () => {
  const pace = new Pace();
  const left = (rollout: RolloutView) => {
    pace.note(rollout);
    return pace.left(rollout);
  };
  expect(left(at(0, 1, 0))).toBeNull();
  expect(left(at(4_000, 1, 80))).toBeNull();
  // 20 a second, and 700 are left.
  expect(left(at(10_000, 1, 200))).toBe(35_000);
  // Those that wait for offline devices take as long as they take.
  expect(left(at(10_000, 1, 200, {}, 300))).toBe(20_000);
  expect(left(at(45_000, 1, 900))).toBeNull();
});

it('is the pace of the last minute, and none of another stage or from before a pause', () => {
  const pace = new Pace();
  const left = (rollout: RolloutView) => {
    pace.note(rollout);
    return pace.left(rollout);
  };
  left(at(0, 1, 0));
  left(at(60_000, 1, 600));
  // It has become slower: 1 a second.
  left(at(90_000, 1, 630));
  expect(left(at(120_000, 1, 660))).toBe(240_000);
  expect(left(at(121_000, 1, 661, { state: 'paused' }))).toBeNull();
  expect(left(at(900_000, 1, 661))).toBeNull();
  left(at(910_000, 1, 761));
  expect(pace.left(at(910_000, 1, 761))).toBe(13_900);
  const next = new Pace();
  next.note(at(0, 0, 0));
  next.note(at(10_000, 0, 90));
  next.note(at(20_000, 1, 10));
  expect(next.left(at(20_000, 1, 10))).toBeNull();
});

it('is never faster than the rate allows', () => {
  const pace = new Pace();
  const spec = { ...rolloutView().spec, rate: 5 };
  pace.note(at(0, 1, 0, { spec }));
  const rollout = at(10_000, 1, 400, { spec });
  pace.note(rollout);
  expect(pace.left(rollout)).toBe(100_000);
});
