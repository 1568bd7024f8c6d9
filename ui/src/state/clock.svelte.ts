import { createSubscriber } from 'svelte/reactivity';

/** Smaller differences are ignored, because a batch takes some time to arrive. */
const APART = 1_000;

/**
 * The engine's time, to which all times that it reports belong. It goes on steadily when the computer's clock is set, and
 * follows it later.
 */
class EngineTime {
  /** How far it is ahead of the computer's clock, milliseconds. */
  #ahead = $state(0);

  /** Unix milliseconds. */
  get now(): number {
    return Date.now() + this.#ahead;
  }

  /** Takes the time from a batch that has just arrived. */
  take(now: number): void {
    const ahead = now - Date.now();
    if (Math.abs(ahead - this.#ahead) >= APART) this.#ahead = Math.abs(ahead) < APART ? 0 : ahead;
  }
}

export const engineTime = new EngineTime();

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
    return engineTime.now;
  }
}

/** For ages and uptimes. */
export const seconds = new Clock(1_000);

const tenths = new Clock(100);

/** So long, in milliseconds, tenths of a second are shown of a wait that grows, and of one that runs out. */
const SHOWN_IN_TENTHS = 10_000;

/** The time for a command that is in progress, Unix milliseconds: it changes as often as what is shown of it. */
export function nowFor({ queued_at: since, deadline }: { queued_at: number; deadline: number | null }): number {
  const now = engineTime.now;
  const young = now - since < SHOWN_IN_TENTHS;
  const ending = deadline !== null && deadline > now && deadline - now < SHOWN_IN_TENTHS + 1_000;
  return young || ending ? tenths.now : seconds.now;
}
