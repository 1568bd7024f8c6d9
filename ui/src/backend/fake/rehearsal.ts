/** The faults of the demo fleet, and rehearsals: rollouts on virtual devices. */

import type { FaultDials } from '../bindings/FaultDials';
import type { NewRollout } from '../bindings/NewRollout';
import type { RehearsalView } from '../bindings/RehearsalView';
import type { RolloutView } from '../bindings/RolloutView';
import type { FakeEngine } from './engine';
import { failure, wait } from './failure';
import { random } from './random';
import { noCounts } from './rolloutDetail';

/** Pause between two devices of a rehearsal, milliseconds. */
const STEP = 2;

export function rehearsalCalls(engine: FakeEngine) {
  let dials: FaultDials = {
    drop: 0,
    duplicate: 0,
    reorder: 0,
    wrong_id: 0,
    malformed: 0,
    fail: 0,
    slow: 0,
    restart: 0,
    offline: 0,
    delay_ms: 0,
    seed: 1,
  };
  let run = 0;
  return {
    async demoFaults(): Promise<FaultDials> {
      return dials;
    },

    async setDemoFaults(faults: FaultDials): Promise<void> {
      await wait(20);
      dials = faults;
    },

    async rehearse(
      rollout: NewRollout,
      faults: FaultDials,
      onChange: (view: RehearsalView) => void,
    ): Promise<RehearsalView> {
      const plan = engine.rollouts.plan(rollout);
      if (plan.members === 0) throw failure('invalid', 'No device is left to send to.', 'Choose other devices.');
      const mine = ++run;
      const started = Date.now();
      const next = random(faults.seed);
      let view = begin(rollout, plan.stages, plan.members);
      const shown = (ended: boolean): RehearsalView => ({
        rollout: view,
        ended,
        took_ms: Date.now() - started,
        left_out_ms: rollout.between.then === 'pause' ? rollout.between.pause_ms * view.stage : 0,
        waiting_for_offline: 0,
        answer_times: { count: 0, bucket_ms: 10, buckets: [], p50_ms: 120, p95_ms: 310, p99_ms: 330, max_ms: 350 },
        causes:
          view.counts.failed > 0
            ? [{ message: 'The I2C bus does not answer.', state: 'failed', count: view.counts.failed }]
            : [],
        remarks: [],
      });
      let left = plan.stages[0] ?? 0;
      for (let done = 1; done <= plan.members; done++) {
        await wait(STEP);
        if (mine !== run) throw failure('invalid', 'The rehearsal was stopped.', null);
        const failed = next() < faults.fail;
        const counts = { ...view.counts, pending: view.counts.pending - 1 };
        counts[failed ? 'failed' : 'succeeded'] += 1;
        view = { ...view, counts };
        const { halt } = rollout;
        const limit = halt === null ? Infinity : halt.above.unit === 'members' ? halt.above.count : halt.above.percent;
        const value = halt?.above.unit === 'percent' ? (100 * counts.failed) / done : counts.failed;
        if (halt !== null && done >= halt.after && value > limit) {
          view = { ...view, state: 'halted', why: `${counts.failed} of ${done} failed.`, ended_at: Date.now() };
          break;
        }
        left -= 1;
        if (left === 0 && view.stage + 1 < view.stages.length) {
          view = { ...view, stage: view.stage + 1 };
          left = plan.stages[view.stage] ?? 0;
        }
        onChange(shown(false));
      }
      if (view.state === 'running') view = { ...view, state: 'finished', ended_at: Date.now() };
      onChange(shown(true));
      return shown(true);
    },

    async stopRehearsal(): Promise<void> {
      run += 1;
    },
  };
}

function begin(rollout: NewRollout, sizes: number[], members: number): RolloutView {
  const now = Date.now();
  return {
    id: '1',
    number: 1,
    spec: rollout,
    state: 'running',
    waits_for: null,
    why: null,
    approval: null,
    stages: sizes.map((size) => ({
      members: size,
      counts: noCounts(),
      waiting_for_offline: 0,
      started_at: now,
      ended_at: null,
      closed: false,
    })),
    stage: 0,
    counts: { ...noCounts(), pending: members },
    members,
    ended_before: 0,
    failed_before: 0,
    started_at: now,
    changed_at: now,
    ended_at: null,
  };
}
