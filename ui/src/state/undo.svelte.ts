/** The last actions that can be undone. */

import { createContext } from 'svelte';

import type { Notices } from './notices.svelte';

/** More than anybody takes back. */
const KEPT = 20;

interface Done {
  /** The notice that offers it. */
  notice: number;
  /** Withdraws the offer when its time is over; null where it has no end. */
  timer: ReturnType<typeof setTimeout> | null;
  /** When its time is over, Unix milliseconds: a computer that slept runs no timers. */
  until: number;
  undo: () => Promise<string>;
}

export class Undo {
  #stack = $state.raw<readonly Done[]>([]);
  /** Something is being taken back. */
  #busy = false;

  readonly available = $derived(this.#stack.length > 0);

  constructor(readonly notices: Notices) {}

  /** Says what was done. `undo` takes it back and says so; for `seconds` at most. */
  offer(message: string, undo: () => Promise<string>, seconds: number | null = null): void {
    const until = seconds === null ? Number.POSITIVE_INFINITY : Date.now() + seconds * 1_000;
    const done: Done = { notice: 0, timer: null, until, undo };
    done.notice = this.notices.say({
      level: 'info',
      message,
      hint: null,
      action: { name: 'Undo', run: () => void this.#take(done) },
    });
    if (seconds !== null) done.timer = setTimeout(() => this.#remove(done), seconds * 1_000);
    this.#stack = [...this.#stack, done];
    for (const old of this.#stack.slice(0, -KEPT)) this.#remove(old);
  }

  /** Takes back what was done last. */
  async last(): Promise<void> {
    const done = this.#stack.at(-1);
    if (done) await this.#take(done);
  }

  async #take(done: Done): Promise<void> {
    if (this.#busy || !this.#stack.includes(done)) return;
    this.#busy = true;
    try {
      const message = await done.undo();
      this.#remove(done);
      this.notices.say({ level: 'info', message, hint: null });
    } catch (reason) {
      // It failed, and will not succeed later.
      if (Date.now() >= done.until) this.#remove(done);
      this.notices.reportError(reason);
    } finally {
      this.#busy = false;
    }
  }

  /** It is no longer offered, neither by its notice nor by the keys. */
  #remove(done: Done): void {
    if (done.timer !== null) clearTimeout(done.timer);
    this.#stack = this.#stack.filter((other) => other !== done);
    this.notices.dismiss(done.notice);
  }
}

export const [getUndo, setUndo] = createContext<Undo>();
