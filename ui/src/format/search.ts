/** The search field: complete conditions, and the one being typed. The engine interprets them. */

import type { SearchReading } from '../backend/bindings/SearchReading';

export interface Search {
  /** Finished conditions, in the order they were typed. */
  tokens: string[];
  /** The part that is being typed. */
  text: string;
}

export const NOTHING: Search = { tokens: [], text: '' };

/** The text before the typed part, on one line. */
export function before({ tokens }: Search): string {
  return tokens.map((token) => `${token} `).join('');
}

/** The search as the engine reads it: one line. */
export function line(search: Search): string {
  return `${before(search)}${search.text.trim()}`.trim();
}

/**
 * Takes finished conditions out of the typed text: those that something follows, or (with `all`) the last one too.
 * `reading` is the engine's, of the whole line.
 */
export function take(search: Search, { parts, error }: SearchReading, all = false): Search {
  // The text between conditions needs no label.
  if (error !== null || parts.some(({ kind }) => kind === 'operator')) return search;
  const start = before(search).length;
  const { text } = search;
  const tokens = [...search.tokens];
  const rest: string[] = [];
  let end = 0;
  for (const { kind, from, to } of parts) {
    if (from < start || kind !== 'field' || (!all && to - start >= text.length)) continue;
    const token = text.slice(from - start, to - start);
    if (!tokens.includes(token)) tokens.push(token);
    rest.push(text.slice(end, from - start));
    end = to - start;
  }
  if (end === 0) return search;
  // Only what stood around a condition is tidied up: the spaces within a quoted text are part of it.
  const kept = [...rest, text.slice(end)].map((part) => part.trim()).filter((part) => part !== '');
  return { tokens, text: kept.join(' ') };
}

/** The search with one more condition, which every device has to meet. */
export function withCondition(search: Search, condition: string): Search {
  const { tokens, text } = search;
  if (!hasAlternatives(text)) return { tokens: [...tokens, condition], text };
  // Beside `or` it would be a condition of one alternative only.
  return { tokens: [condition], text: `(${line(search)})` };
}

/** The search without these conditions. */
export function without({ tokens, text }: Search, conditions: readonly string[]): Search {
  const others = tokens.filter((token) => !conditions.includes(token));
  // An alternative to nothing is no alternative.
  return { tokens: others, text: others.length > 0 ? text : text.replace(/^\s*or(\s+|$)/i, '') };
}

/** Whether there is an `or` outside quotes and parentheses. */
function hasAlternatives(text: string): boolean {
  let rest = text.replace(/"(?:\\.|[^"\\])*"/g, '');
  for (let before = ''; before !== rest;) {
    before = rest;
    rest = rest.replace(/\([^()]*\)/g, '');
  }
  return /(?:^|\s)or(?:\s|$)/i.test(rest);
}

/** A condition's two halves. */
export function halves(token: string): [string, string] {
  const colon = token.indexOf(':') + 1;
  return [token.slice(0, colon), token.slice(colon)];
}
