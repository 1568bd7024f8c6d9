/** The lines of a device's log: what they are, what is new in them, which of them hold a word. */

import type { LogPart } from '../backend/bindings/LogPart';

export type Level = 'error' | 'warn' | 'info' | 'debug';

/** A line of a log, or the place of what did not come. */
export interface LogLine {
  text: string;
  gap: boolean;
}

/** Lines that are shown at the most; the oldest go first. */
const MOST_LINES = 100_000;

export function linesOf(parts: LogPart[]): LogLine[] {
  const lines: LogLine[] = [];
  for (const { first, last, text } of parts) {
    if (text === null) {
      const which = first === last ? `Chunk ${first} did not come` : `Chunks ${first}–${last} did not come`;
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

/** What of a log was not in the one before: what follows on the last line that both have, or all of it. */
export function fresh(before: LogLine[], now: LogLine[]): LogLine[] {
  if (before.length === 0) return now;
  for (let end = now.length; end > 0; end--) {
    const both = Math.min(end, before.length);
    let same = 0;
    while (same < both && now[end - 1 - same]?.text === before[before.length - 1 - same]?.text) same += 1;
    if (same === both) return now.slice(end);
  }
  return now;
}

/** The lines before, with what is new in another fetch of the same log. */
export function continued(before: LogLine[], now: LogLine[]): LogLine[] {
  return [...before, ...fresh(before, now)].slice(-MOST_LINES);
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
