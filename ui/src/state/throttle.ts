/** Runs a function at most once per interval; calls during the pause cause one run at its end. */
export class Throttle {
  #timer: ReturnType<typeof setTimeout> | null = null;
  #again = false;

  constructor(
    /** Milliseconds; a function where it depends on something. */
    readonly pause: number | (() => number),
    readonly run: () => void,
  ) {}

  /** Runs it at once: what was run a moment ago was for something else. */
  now(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#again = false;
    this.ask();
  }

  ask(): void {
    if (this.#timer !== null) {
      this.#again = true;
      return;
    }
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        if (this.#again) {
          this.#again = false;
          this.ask();
        }
      },
      typeof this.pause === 'number' ? this.pause : this.pause(),
    );
    this.run();
  }
}
