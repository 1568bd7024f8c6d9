import type { Backend } from '../backend/backend';
import type { ConnectionEntry } from '../backend/bindings/ConnectionEntry';
import type { Failure } from '../backend/bindings/Failure';
import type { PreflightView } from '../backend/bindings/PreflightView';
import type { Step } from '../backend/bindings/Step';
import { failureOf } from './failure';

/** The tested values: a connection as entered, and its files. */
export interface Attempt {
  entry: ConnectionEntry;
  /** The things in those files by their numbers, which change with every file that is read. */
  files: number[];
}

/** A connection being tried, step by step. */
export class Preflight {
  view = $state.raw<PreflightView | null>(null);
  running = $state(false);
  /** It could not even be begun. */
  failure = $state.raw<Failure | null>(null);
  /** The values that were tested last. */
  attempt = $state.raw<Attempt | null>(null);
  #run = 0;
  #stopping: Promise<void> = Promise.resolve();

  constructor(readonly backend: Backend) {}

  /** Whether what is shown was found with these very entries and files. */
  isOf(attempt: Attempt): boolean {
    return this.attempt !== null && sameTry(this.attempt) === sameTry(attempt);
  }

  /** It has finished: every step passed, or one failed. */
  get concluded(): boolean {
    return this.view?.done === true && (this.view.ok || this.view.steps.some(({ state }) => state === 'failed'));
  }

  /** Begun again from a step, what was found before that step stays, but only of the same attempt. */
  async start(attempt: Attempt, from: Step | null = null): Promise<void> {
    const run = ++this.#run;
    const begin = this.isOf(attempt) ? from : null;
    this.attempt = attempt;
    this.running = true;
    this.failure = null;
    if (begin === null) this.view = null;
    await this.#stopping;
    try {
      const last = await this.backend.preflight(attempt.entry, begin, (view) => {
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

  /** Its screen was closed. */
  close(): void {
    void this.stop();
    this.#run += 1;
    this.running = false;
    this.view = null;
    this.attempt = null;
  }
}

/** The values that a test depends on: the name of a connection is not among them. */
function sameTry({ entry, files }: Attempt): string {
  return JSON.stringify([{ ...entry, name: '', denied: [], without_keyring: false }, files]);
}
