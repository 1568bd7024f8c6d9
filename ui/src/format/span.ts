/** Durations as typed seconds. */

import { LONGEST_SPAN_MS } from '../backend/bindings/Constants';

/** Milliseconds; nothing where it is no length of time from 1 ms to 7 days. */
export function readSeconds(typed: string): number | null {
  if (!/^\d+(?:[.,]\d{1,3})?$/.test(typed.trim())) return null;
  const milliseconds = Math.round(Number(typed.trim().replace(',', '.')) * 1_000);
  return milliseconds >= 1 && milliseconds <= LONGEST_SPAN_MS ? milliseconds : null;
}

export function secondsText(milliseconds: number): string {
  return String(milliseconds / 1_000);
}

/** What to enter, where it is none. */
export const SECONDS_ALLOWED = `Seconds, from 0.001 to ${LONGEST_SPAN_MS / 1_000} (${LONGEST_SPAN_MS / 86_400_000} days).`;
