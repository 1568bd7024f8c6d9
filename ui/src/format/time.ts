/** Times and durations as words. All arguments are milliseconds. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length of time, as exact as it is useful: `31 ms`, `1.92 s`, `12.6 s`, `12 min`, `38 h`. */
export function duration(ms: number): string {
  const length = Math.max(0, ms);
  if (length === 0) return '0 ms';
  if (length < 0.05) return '<0.1 ms';
  if (length < 0.95) return `${length.toFixed(1)} ms`;
  if (Math.round(length) < SECOND) return `${Math.round(length)} ms`;
  if (length < 9_995) return `${(length / SECOND).toFixed(2)} s`;
  if (length < MINUTE + SECOND) return `${(length / SECOND).toFixed(1)} s`;
  return coarse(length);
}

/** A length of time that still grows: tenths of a second up to ten seconds, more would flicker. */
export function running(ms: number): string {
  const length = Math.max(0, ms);
  return length < 10 * SECOND ? `${(Math.floor(length / 100) / 10).toFixed(1)} s` : coarse(length);
}

/** How long ago: `now`, `4 s`, `12 min`, `2 h`, `3 d`. */
export function age(ms: number): string {
  return ms < SECOND ? 'now' : coarse(ms);
}

/** How long ago a device was last seen: in whole minutes, so that an idle list does not change. */
export function seenAgo(ms: number): string {
  return ms < MINUTE ? '< 1 min' : coarse(ms);
}

/** The age of a value that is reported repeatedly: empty while it is new, then `12 s ago`. */
export function stale(ms: number): string | null {
  return ms < 10 * SECOND ? null : `${coarse(ms)} ago`;
}

/** A wait that runs out, never shown as zero before it has: `8.7 s`, `42 s`, `3 min`. */
export function left(ms: number): string {
  if (ms <= 0) return '0 s';
  if (ms < 10 * SECOND) return `${(Math.ceil(ms / 100) / 10).toFixed(1)} s`;
  if (ms < 2 * MINUTE) return `${Math.ceil(ms / SECOND)} s`;
  return coarse(ms + MINUTE - 1);
}

function coarse(ms: number): string {
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / DAY)} d`;
}

const two = (n: number) => String(n).padStart(2, '0');

/** The time of day: `14:02:11`. */
export function clock(at: number): string {
  const t = new Date(at);
  return `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
}

/** The time of day to the millisecond: `14:01:37.402`. */
export function exactClock(at: number): string {
  return `${clock(at)}.${String(new Date(at).getMilliseconds()).padStart(3, '0')}`;
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** When, as short as it stays clear: the time today, the weekday within a week, then the date. */
export function when(at: number, now: number): string {
  const t = new Date(at);
  const today = new Date(now);
  if (t.toDateString() === today.toDateString()) return clock(at);
  if (now - at < 6 * DAY && at < now) return `${WEEKDAYS[t.getDay()]} ${two(t.getHours())}:${two(t.getMinutes())}`;
  return date(at);
}

/** The day: `2026-11-23`. */
export function date(at: number): string {
  const t = new Date(at);
  return `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`;
}

/** Whole days from now, negative once it has passed. */
export function daysUntil(at: number, now: number): number {
  return Math.floor((at - now) / DAY);
}
