/** The search field: words and tokens such as `is:offline`. What they mean is the engine's business. */

import { STATES } from './states';

const KEYS = ['is', 'led', 'firmware', 'tag', 'state'];

/** The only values that some tokens can have. */
const WHOLE: Record<string, readonly string[]> = {
  is: ['online', 'offline', 'unknown'],
  led: ['on', 'off'],
  state: STATES,
};

export interface Search {
  /** Finished tokens, in the order they were typed. */
  tokens: string[];
  /** What is still being typed. */
  text: string;
}

/** Whether a word is a token with a value. */
function isToken(word: string): boolean {
  const colon = word.indexOf(':');
  return colon > 0 && colon < word.length - 1 && KEYS.includes(word.slice(0, colon).toLowerCase());
}

/** Takes tokens out of what is typed, as soon as a space (or, with `all`, nothing) follows them. */
export function take(search: Search, typed: string, all = false): Search {
  const tokens = [...search.tokens];
  const words = typed.split(/(\s+)/);
  const kept = words.filter((word, i) => {
    const finished = all || i < words.length - 1;
    if (!finished || !isToken(word)) return true;
    if (!tokens.includes(word)) tokens.push(word);
    return false;
  });
  const text = kept.join('');
  return { tokens, text: tokens.length > search.tokens.length ? text.trim() : text };
}

/** The search as the engine wants it: one line. */
export function line(search: Search): string {
  const words = search.text.split(/\s+/).filter((word) => word !== '' && !isBegun(word));
  return [...search.tokens, ...words].join(' ');
}

/** A token that is being typed and cannot match anything yet. */
function isBegun(word: string): boolean {
  const [key, value] = halves(word.toLowerCase());
  if (!KEYS.includes(key.slice(0, -1))) return false;
  return missed(word) !== null || value === '';
}

/** The values that a token can have, where it has none of them; their spelling is as free as the engine's. */
function missed(token: string): readonly string[] | null {
  const [key, value] = halves(token.toLowerCase());
  const whole = WHOLE[key.slice(0, -1)];
  return whole === undefined || whole.includes(value.replaceAll('-', '_')) ? null : whole;
}

/** A finished token that no device can fit, whichever there are, as a sentence. */
export function impossible({ tokens }: Search): string | null {
  for (const token of tokens) {
    const [key] = halves(token.toLowerCase());
    const known = missed(token);
    if (known) return `No device can have ${token}: there are ${known.map((value) => key + value).join(', ')}.`;
  }
  return null;
}

/** A token's two halves. */
export function halves(token: string): [string, string] {
  const colon = token.indexOf(':') + 1;
  return [token.slice(0, colon), token.slice(colon)];
}
