/** Lengths of time as seconds that are typed. */

const LONGEST = 604_800_000;

/** Milliseconds; nothing where it is no length of time from 1 ms to 7 days. */
export function readSeconds(typed: string): number | null {
  if (!/^\d+(?:[.,]\d{1,3})?$/.test(typed.trim())) return null;
  const milliseconds = Math.round(Number(typed.trim().replace(',', '.')) * 1_000);
  return milliseconds >= 1 && milliseconds <= LONGEST ? milliseconds : null;
}

export function secondsText(milliseconds: number): string {
  return String(milliseconds / 1_000);
}
