import type { Backend } from '../backend/backend';
import type { Failure } from '../backend/bindings/Failure';
import type { FileToWrite } from '../backend/bindings/FileToWrite';
import { cleanPath } from '../format/path';
import { failureOf } from './failure';

/** A file that is to be written: where to, and what is in the way. Nothing is replaced that nobody has given up. */
export class OutputFile {
  path = $state('');
  failure = $state.raw<Failure | null>(null);
  /** Where a file was found that is there already. */
  #found = $state.raw<{ path: string; message: string } | null>(null);
  /** The path at which whatever is there may go: the system's dialog has asked, or the page. */
  #given: string | null = null;
  readonly to = $derived(cleanPath(this.path));
  /** What to ask before it is written; nothing once another path is given. */
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

  /** Writes it; nothing where there is something to ask or to say first. */
  async write<T>(run: (to: FileToWrite) => Promise<T>): Promise<T | null> {
    const { to } = this;
    this.failure = null;
    this.#found = null;
    try {
      return await run({ path: to, replace: to === this.#given });
    } catch (reason) {
      const failure = failureOf(reason);
      if (failure.code === 'exists') this.#found = { path: to, message: failure.message };
      else this.failure = failure;
      return null;
    }
  }

  /** What is there may go. */
  give(): void {
    this.#given = this.to;
  }

  /** What is there stays. */
  keep(): void {
    this.#found = null;
  }
}
