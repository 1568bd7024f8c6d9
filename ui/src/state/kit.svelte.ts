import type { Backend } from '../backend/backend';
import type { Failure } from '../backend/bindings/Failure';
import type { FileRole } from '../backend/bindings/FileRole';
import type { FilesToRead } from '../backend/bindings/FilesToRead';
import type { KitView } from '../backend/bindings/KitView';
import { cleanPath } from '../format/path';
import { failureOf } from './failure';

/** Files that were added: their content and their problems. */
export class Kit {
  view = $state.raw<KitView | null>(null);
  busy = $state(false);
  failure = $state.raw<Failure | null>(null);
  /** A passphrase was given, and something stayed locked. */
  passphraseRefused = $state.raw<string | null>(null);
  /** Files hang over the window. */
  over = $state(false);
  /** One after the other: the second reading adds to what the first has found. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(readonly backend: Backend) {}

  add(paths: string[], role: FileRole = 'any'): Promise<void> {
    const files = paths
      .map(cleanPath)
      .filter((path) => path !== '')
      .map((path) => ({ path, role }));
    return files.length === 0 ? Promise.resolve() : this.#read({ files });
  }

  async choose(title: string): Promise<void> {
    try {
      await this.add(await this.backend.chooseFiles(title));
    } catch (reason) {
      this.failure = failureOf(reason);
    }
  }

  async unlock(passphrase: string): Promise<void> {
    this.passphraseRefused = null;
    await this.#read({ passphrase });
    if (!this.view?.locked) return;
    const locked = this.view.items.filter((item) => item.kind === 'locked').map((item) => item.id);
    const said = this.view.problems.find(({ item }) => item !== null && locked.includes(item));
    const hint = said?.hint ?? 'Passphrases are case-sensitive.';
    this.passphraseRefused = `Wrong passphrase. ${hint}`;
  }

  /** Adds the certificate that the broker showed in the last preflight, as the only one to trust. */
  pin(sha256: string): Promise<void> {
    return this.#read({ shown: sha256 });
  }

  leaveOut(item: number): Promise<void> {
    return this.#ask((kit) => (kit === null ? null : this.backend.leaveOut(kit, item)));
  }

  /** The engine need not keep what was read. */
  forget(): Promise<void> {
    this.failure = null;
    this.passphraseRefused = null;
    return this.#ask(async (kit) => {
      if (kit !== null) await this.backend.forgetKit(kit);
      return null;
    });
  }

  /** No request is pending. */
  async idle(): Promise<void> {
    await this.#turn;
  }

  /** Takes the files that are dropped on the window. The function ends it. */
  listen(): () => void {
    const listening = this.backend.onFilesDropped({
      over: (active) => (this.over = active),
      drop: (paths) => void this.add(paths),
    });
    return () => {
      this.over = false;
      void listening.then((end) => end());
    };
  }

  #read(read: Partial<FilesToRead>): Promise<void> {
    return this.#ask((kit) => this.backend.readFiles({ files: [], passphrase: null, shown: null, ...read, kit }));
  }

  #ask(question: (kit: string | null) => Promise<KitView | null> | null): Promise<void> {
    const turn = this.#turn.then(async () => {
      this.busy = true;
      this.failure = null;
      try {
        this.view = (await question(this.view?.id ?? null)) ?? null;
      } catch (reason) {
        this.failure = failureOf(reason);
        // Kept too long, and forgotten by the engine: the next file starts a new kit.
        if (this.failure.code === 'not_found') this.view = null;
      } finally {
        this.busy = false;
      }
    });
    this.#turn = turn;
    return turn;
  }
}
