import type { Failure } from '../../backend/bindings/Failure';
import type { NewRollout } from '../../backend/bindings/NewRollout';
import type { RehearsalView } from '../../backend/bindings/RehearsalView';
import type { Backend } from '../../state/backend';
import { failureOf } from '../../state/failure';
import { dialsOf, NO_FAULTS, textsOf, type DialTexts } from '../faults/dials';

/** The rehearsal of a rollout that is being prepared. */
export class Rehearsing {
  texts = $state<DialTexts>(textsOf(NO_FAULTS));
  /** Its progress, and its result once it has ended. */
  view = $state.raw<RehearsalView | null>(null);
  /** The rehearsed rollout, as text: a changed one has not been rehearsed. */
  #of = $state<string | null>(null);
  running = $state(false);
  failure = $state.raw<Failure | null>(null);
  readonly dials = $derived(dialsOf(this.texts));
  #run = 0;

  constructor(readonly backend: Backend) {}

  /** Whether the result belongs to this rollout. */
  isOf(rollout: NewRollout | null): boolean {
    return rollout !== null && this.#of === JSON.stringify(rollout);
  }

  async start(rollout: NewRollout): Promise<void> {
    const { dials } = this;
    if (dials === null || this.running) return;
    const run = ++this.#run;
    this.running = true;
    this.failure = null;
    this.view = null;
    this.#of = JSON.stringify(rollout);
    const isThis = () => run === this.#run;
    try {
      const ended = await this.backend.rehearse($state.snapshot(rollout) as NewRollout, dials, (view) => {
        if (isThis()) this.view = view;
      });
      if (isThis()) this.view = ended;
    } catch (reason) {
      // Stopping it is no failure.
      if (isThis()) this.failure = failureOf(reason);
    } finally {
      if (isThis()) this.running = false;
    }
  }

  /** Stops it. Its progress stays visible. */
  stop(): void {
    if (!this.running) return;
    this.#run += 1;
    this.running = false;
    void this.backend.stopRehearsal();
  }
}
