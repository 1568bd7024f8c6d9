/** The lines of a device's log: their contents, new lines, and search matches. */

import type { LogPart } from '../backend/bindings/LogPart';

export type Level = 'error' | 'warn' | 'info' | 'debug';

/** A line of a log, or the place of a missing part. */
export interface LogLine {
  text: string;
  gap: boolean;
}

/** Lines that are shown at most; the oldest go first. */
const MOST_LINES = 100_000;

export function linesOf(parts: LogPart[]): LogLine[] {
  const lines: LogLine[] = [];
  for (const { first, last, text } of parts) {
    if (text === null) {
      const which = first === last ? `Chunk ${first} is missing` : `Chunks ${first}–${last} are missing`;
      lines.push({ text: which, gap: true });
      continue;
    }
    const pieces = text.split(/\r?\n/);
    // A line's end is not the beginning of another.
    if (pieces.at(-1) === '') pieces.pop();
    for (const piece of pieces) lines.push({ text: piece, gap: false });
  }
  return lines;
}

/** The text for the clipboard: a gap cannot be taken for a line of the device. */
export function plain(lines: LogLine[]): string {
  return lines.map(({ text, gap }) => (gap ? `[${text}]\n` : `${text}\n`)).join('');
}

/** Where two fetches do not meet. Whether anything stood there, only the device knows. */
export const NOT_FETCHED = 'Gap: the lines that were here were not fetched';
/** One or two equal lines occur anywhere. */
const ENOUGH = 3;

/**
 * The lines before, with what is new in another fetch of the same log. What the fetch has again takes the place of what is
 * shown, and gaps that it fills go; where the two do not meet, a line says so.
 */
export function continued(before: LogLine[], now: LogLine[]): LogLine[] {
  // Nothing arrived, so there is nothing new.
  if (!now.some(({ gap }) => !gap)) return before;
  return joined(before, now).slice(-MOST_LINES);
}

function joined(before: LogLine[], now: LogLine[]): LogLine[] {
  if (before.length === 0) return now;
  const begin = afterGap(before, before.length);
  const run = before.slice(begin);
  const meets = run.length === 0 ? { wholly: true, end: 0 } : meetingOf(run, now);
  if (meets === null) return [...before, { text: NOT_FETCHED, gap: true }, ...now];
  if (!meets.wholly) return [...before, ...now.slice(meets.end)];
  return joined(before.slice(0, Math.max(0, begin - 1)), now);
}

/** Where the unbroken lines before a place begin. */
function afterGap(lines: LogLine[], end: number): number {
  let begin = end;
  while (begin > 0 && lines[begin - 1]?.gap === false) begin -= 1;
  return begin;
}

/** Where in a fetch the lines end with which an unbroken run ends, and whether it has all of the run. */
function meetingOf(run: LogLine[], now: LogLine[]): { end: number; wholly: boolean } | null {
  for (let end = now.length; end > 0;) {
    const begin = afterGap(now, end);
    const { back, same } = ending(run, now, begin, end);
    if (same === run.length) return { end: end - back, wholly: true };
    if (same >= Math.min(ENOUGH, end - begin) && same > 0) return { end: end - back, wholly: false };
    end = begin - 1;
  }
  return null;
}

/**
 * How far back from an end a run's last lines stand, and how many of them, either all or as many as there is room for.
 * Reckoned as Knuth, Morris and Pratt do, from the end on: lines that are all alike take no longer.
 */
function ending(run: LogLine[], now: LogLine[], begin: number, end: number): { back: number; same: number } {
  const wanted = (i: number) => run[run.length - 1 - i]?.text;
  const falls = new Int32Array(run.length);
  for (let i = 1, same = 0; i < run.length; i++) {
    while (same > 0 && wanted(i) !== wanted(same)) same = falls[same - 1] ?? 0;
    if (wanted(i) === wanted(same)) same += 1;
    falls[i] = same;
  }
  let same = 0;
  for (let at = end - 1; at >= begin; at--) {
    const { text } = now[at] ?? {};
    while (same > 0 && text !== wanted(same)) same = falls[same - 1] ?? 0;
    if (text === wanted(same)) same += 1;
    if (same === run.length) return { back: end - at - same, same };
  }
  return { back: end - begin - same, same };
}

/** The places of the lines that hold a text, in any case. */
export function holding(lines: LogLine[], text: string): number[] {
  const wanted = text.toLowerCase();
  if (wanted === '') return [];
  const found: number[] = [];
  lines.forEach((line, i) => line.text.toLowerCase().includes(wanted) && found.push(i));
  return found;
}

/** A line cut at every place where a text stands in it. */
export function cutAt(line: string, text: string): { text: string; found: boolean }[] {
  const wanted = text.toLowerCase();
  const low = line.toLowerCase();
  // Some letters change their length with their case: such a line is not marked.
  if (wanted === '' || low.length !== line.length) return [{ text: line, found: false }];
  const pieces: { text: string; found: boolean }[] = [];
  let from = 0;
  for (let at = low.indexOf(wanted); at >= 0; at = low.indexOf(wanted, from)) {
    if (at > from) pieces.push({ text: line.slice(from, at), found: false });
    pieces.push({ text: line.slice(at, at + wanted.length), found: true });
    from = at + wanted.length;
  }
  if (from < line.length || pieces.length === 0) pieces.push({ text: line.slice(from), found: false });
  return pieces;
}

const WORDS: [level: Level, pattern: RegExp][] = [
  ['error', /\b(ERROR|ERR|FATAL|PANIC|CRIT(ICAL)?)\b|^E \(/],
  ['warn', /\bWARN(ING)?\b|^W \(/],
  ['debug', /\b(DEBUG|TRACE)\b|^[DV] \(/],
  ['info', /\bINFO\b|^I \(/],
];

/** How grave a line says it is, where it does so near its beginning. */
export function levelOf(line: string): Level | null {
  const head = line.slice(0, 64);
  return WORDS.find(([, pattern]) => pattern.test(head))?.[0] ?? null;
}
