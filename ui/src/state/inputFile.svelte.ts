import type { Backend } from '../backend/backend';
import type { Failure } from '../backend/bindings/Failure';
import { cleanPath } from '../format/path';
import { failureOf } from './failure';

/** A file to read: its path, and what prevents reading it. */
export class InputFile {
  path = $state('');
  /** The user wanted to continue: a missing path is named. */
  checked = $state(false);
  busy = $state(false);
  failure = $state.raw<Failure | null>(null);
  readonly from = $derived(cleanPath(this.path));

  constructor(
    readonly backend: Backend,
    /** The title of the system's dialog. */
    readonly title: string,
  ) {}

  readonly choose = async (): Promise<void> => {
    try {
      this.path = (await this.backend.chooseFiles(this.title))[0] ?? this.path;
    } catch (reason) {
      this.failure = failureOf(reason);
    }
  };

  /** Reads it; returns null without a path, while it is being read, and after an error. */
  async read<T>(run: (from: string) => Promise<T>): Promise<T | null> {
    this.checked = true;
    return this.from === '' ? null : this.attempt(() => run(this.from));
  }

  /** Does something with what was read. */
  async attempt<T>(run: () => Promise<T>): Promise<T | null> {
    if (this.busy) return null;
    this.busy = true;
    this.failure = null;
    try {
      return await run();
    } catch (reason) {
      this.failure = failureOf(reason);
      return null;
    } finally {
      this.busy = false;
    }
  }
}
