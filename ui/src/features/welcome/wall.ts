/** A fan-out for the picture. */

import type { Look } from '../../components/tile';

/** The state of each device 5.6 s after the start of a fan-out. */
export function fanOut(count: number): Look[] {
  const next = random(7);
  return Array.from({ length: count }, (_, i): Look => {
    const since = 5.6 - (i / count) * 10 - next() * 0.25;
    const fate = next();
    const pace = 0.35 + next() * next() * 2.2;
    if (fate < 0.022) return 'offline';
    if (since < 0) return 'idle';
    if (since < 0.14) return 'sent';
    if (since < 0.16 + pace * 0.42) return 'at_broker';
    if (fate < 0.03) return since > 3 ? 'timed_out' : 'at_broker';
    if (since < 0.2 + pace * 1.15) return 'accepted';
    return fate < 0.037 ? 'failed' : 'succeeded';
  });
}

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
