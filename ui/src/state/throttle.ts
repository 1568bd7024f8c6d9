/** Runs a function at most once per interval; calls during the pause cause one run at its end. */
export class Throttle {
  #timer: ReturnType<typeof setTimeout> | null = null;
  #again = false;
  /** How often it may still run without a pause. */
  #left: number;

  constructor(
    /** Milliseconds; a function where it depends on something. */
    readonly pause: number | (() => number),
    readonly run: () => void,
    /** After a rest it may run so often without a pause between. */
    readonly burst = 1,
  ) {
    this.#left = burst;
  }

  /** Runs it at once: what was run a moment ago was for something else. */
  now(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#again = false;
    this.#left = this.burst;
    this.ask();
  }

  ask(): void {
    if (this.#left === 0) {
      this.#again = true;
      return;
    }
    this.#left -= 1;
    this.#rest();
    this.run();
  }

  /** Each pause permits one more run. */
  #rest(): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = null;
        this.#left += 1;
        if (this.#again) {
          this.#again = false;
          this.ask();
        } else if (this.#left < this.burst) this.#rest();
      },
      typeof this.pause === 'number' ? this.pause : this.pause(),
    );
  }
}
