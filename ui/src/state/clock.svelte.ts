import { createSubscriber } from 'svelte/reactivity';

/** The time as something that changes. It ticks only while something shows it, and never in a hidden window. */
class Clock {
  readonly #subscribe: () => void;

  constructor(every: number) {
    this.#subscribe = createSubscriber((update) => {
      const tick = () => {
        if (!document.hidden) update();
      };
      const timer = setInterval(tick, every);
      document.addEventListener('visibilitychange', tick);
      return () => {
        clearInterval(timer);
        document.removeEventListener('visibilitychange', tick);
      };
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

const tenths = new Clock(100);

/** So long, in milliseconds, tenths of a second are shown of a wait that grows, and of one that runs out. */
const SHOWN_IN_TENTHS = 10_000;

/** The time for a command that is in progress, Unix milliseconds: it changes as often as what is shown of it. */
export function nowFor({ queued_at: since, deadline }: { queued_at: number; deadline: number | null }): number {
  const now = Date.now();
  const young = now - since < SHOWN_IN_TENTHS;
  const ending = deadline !== null && deadline > now && deadline - now < SHOWN_IN_TENTHS + 1_000;
  return young || ending ? tenths.now : seconds.now;
}
