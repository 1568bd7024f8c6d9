import { createSubscriber } from 'svelte/reactivity';

/** The time as something that changes. It only ticks while somebody looks. */
class Clock {
  readonly #subscribe: () => void;

  constructor(every: number) {
    this.#subscribe = createSubscriber((update) => {
      const timer = setInterval(update, every);
      return () => clearInterval(timer);
    });
  }

  /** Unix milliseconds. */
  get now(): number {
    this.#subscribe();
    return Date.now();
  }
}

/** For ages and uptimes. */
export const seconds = new Clock(1_000);

/** For what is under way. */
export const tenths = new Clock(100);
