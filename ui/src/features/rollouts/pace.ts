/** How fast rollouts progress, from what the window has seen of them. */

import { FINAL_STATES } from '../../backend/bindings/Constants';
import type { RolloutView } from '../../backend/bindings/RolloutView';
import { sum } from './format';

/** The pace is that of the last minute. */
const WINDOW_MS = 60_000;
/** Before this time and this number of devices a pace would be a guess. */
const LEAST_MS = 5_000;
const LEAST_ENDED = 10;
/** Changes that are nearer to each other than this are one sample. */
const BETWEEN_MS = 1_000;

interface Sample {
  at: number;
  stage: number;
  ended: number;
}

export class Pace {
  readonly #seen = new Map<string, Sample[]>();

  /** A rollout has changed. A pace begins anew with each stage, and after each pause. */
  note(rollout: RolloutView): void {
    const { id, state, stage, changed_at: at } = rollout;
    const current = rollout.stages[stage];
    if (state !== 'running' || current === undefined) {
      this.#seen.delete(id);
      return;
    }
    const before = this.#seen.get(id) ?? [];
    const same = before.filter((sample) => sample.stage === stage && sample.at > at - WINDOW_MS);
    // It changes many times a second.
    if (at - (same.at(-2)?.at ?? -Infinity) < BETWEEN_MS) same.pop();
    this.#seen.set(id, [...same, { at, stage, ended: sum(current.counts, FINAL_STATES) }]);
  }

  /**
   * How long the current stage still takes, milliseconds; null while that is not known. Commands that are held for offline
   * devices are not waited for.
   */
  left({ id, stage, stages, spec }: RolloutView): number | null {
    const seen = this.#seen.get(id) ?? [];
    const [first, last, current] = [seen[0], seen.at(-1), stages[stage]];
    if (first === undefined || last === undefined || current === undefined || last.stage !== stage) return null;
    const [lasted, ended] = [last.at - first.at, last.ended - first.ended];
    if (lasted < LEAST_MS || ended < LEAST_ENDED) return null;
    const { held, pending, queued } = current.counts;
    const open = current.members - last.ended - held;
    const atRate = spec.rate === null ? 0 : ((pending + queued) / spec.rate) * 1_000;
    return open <= 0 ? null : Math.max(atRate, (open * lasted) / ended);
  }
}
