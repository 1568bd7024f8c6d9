/** What opens beside a button, and fields that take the keyboard, by a name: so that they can be reached from elsewhere. */

/** How long a screen may take to be drawn. */
const PATIENCE = 1_000;

export class Doors {
  readonly #doors = new Map<string, () => void>();
  #wanted: { name: string; until: number } | null = null;

  /** Says how one is opened, as long as it is there. */
  at(name: string, open: () => void): () => void {
    this.#doors.set(name, open);
    if (this.#wanted?.name === name && Date.now() < this.#wanted.until) {
      this.#wanted = null;
      queueMicrotask(open);
    }
    return () => {
      if (this.#doors.get(name) === open) this.#doors.delete(name);
    };
  }

  /** Opens it now, or as soon as its screen is drawn. */
  open(name: string): void {
    const open = this.#doors.get(name);
    this.#wanted = open ? null : { name, until: Date.now() + PATIENCE };
    open?.();
  }
}
