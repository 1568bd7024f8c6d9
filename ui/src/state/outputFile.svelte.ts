import type { Backend } from '../backend/backend';
import type { Failure } from '../backend/bindings/Failure';
import type { FileToWrite } from '../backend/bindings/FileToWrite';
import { cleanPath } from '../format/path';
import { failureOf } from './failure';

/** A file to write: its path, and what prevents writing it. An existing file is replaced only after confirmation. */
export class OutputFile {
  path = $state('');
  /** The user wanted to continue: a missing path is named. */
  checked = $state(false);
  busy = $state(false);
  failure = $state.raw<Failure | null>(null);
  /** Where a file was found that is there already. */
  #found = $state.raw<{ path: string; message: string } | null>(null);
  /** The path whose file may be replaced: the system's dialog or the page has confirmed it. */
  #given: string | null = null;
  readonly to = $derived(cleanPath(this.path));
  /** The question before it is written; nothing once another path is entered. */
  readonly question = $derived(this.#found?.path === this.to ? this.#found.message : null);

  constructor(readonly backend: Backend) {}

  async choose(title: string, name: string): Promise<void> {
    try {
      const chosen = await this.backend.chooseSavePath(title, name);
      if (chosen === null) return;
      this.path = chosen;
      this.#given = this.to;
    } catch (reason) {
      this.failure = failureOf(reason);
    }
  }

  /** Writes it; returns null without a path, while it is being written, and after a question or an error. */
  async write<T>(run: (to: FileToWrite) => Promise<T>): Promise<T | null> {
    const { to } = this;
    this.checked = true;
    if (to === '' || this.busy) return null;
    this.busy = true;
    this.failure = null;
    this.#found = null;
    try {
      return await run({ path: to, replace: to === this.#given });
    } catch (reason) {
      const failure = failureOf(reason);
      if (failure.code === 'exists') this.#found = { path: to, message: failure.message };
      else this.failure = failure;
      return null;
    } finally {
      this.busy = false;
    }
  }

  /** Confirms that the existing file is replaced. */
  give(): void {
    this.#given = this.to;
  }

  /** Keeps the existing file. */
  keep(): void {
    this.#found = null;
  }
}
