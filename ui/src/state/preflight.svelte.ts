import type { Backend } from '../backend/backend';
import type { ConnectionEntry } from '../backend/bindings/ConnectionEntry';
import type { Failure } from '../backend/bindings/Failure';
import type { PreflightView } from '../backend/bindings/PreflightView';
import type { Step } from '../backend/bindings/Step';
import { failureOf } from './failure';

/** A connection being tried, step by step. */
export class Preflight {
  view = $state.raw<PreflightView | null>(null);
  running = $state(false);
  /** It could not even be begun. */
  failure = $state.raw<Failure | null>(null);
  /** What was tried last. */
  entry = $state.raw<ConnectionEntry | null>(null);
  #run = 0;
  #stopping: Promise<void> = Promise.resolve();

  constructor(readonly backend: Backend) {}

  /** Whether what is shown was found with this very entry. */
  isOf(entry: ConnectionEntry): boolean {
    return this.entry !== null && sameTry(this.entry) === sameTry(entry);
  }

  async start(entry: ConnectionEntry, from: Step | null = null): Promise<void> {
    const run = ++this.#run;
    this.entry = entry;
    this.running = true;
    this.failure = null;
    if (from === null) this.view = null;
    await this.#stopping;
    try {
      const last = await this.backend.preflight(entry, from, (view) => {
        if (run === this.#run && this.running) this.view = view;
      });
      if (run === this.#run) this.view = last;
    } catch (reason) {
      if (run === this.#run) this.failure = failureOf(reason);
    } finally {
      if (run === this.#run) this.running = false;
    }
  }

  stop(): Promise<void> {
    if (!this.running) return Promise.resolve();
    this.#stopping = this.backend.stopPreflight().catch((reason: unknown) => {
      this.failure = failureOf(reason);
    });
    return this.#stopping;
  }

  /** Nobody looks any more. */
  close(): void {
    void this.stop();
    this.#run += 1;
    this.running = false;
    this.view = null;
    this.entry = null;
  }
}

/** What a try depends on: what a connection is called is not among it. */
function sameTry(entry: ConnectionEntry): string {
  return JSON.stringify({ ...entry, name: '', denied: [], without_keyring: false });
}
