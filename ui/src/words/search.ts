/** The search field: words and tokens such as `is:offline`. What they mean is the engine's business. */

const KEYS = ['is', 'led', 'firmware', 'tag', 'state'];

export interface Search {
  /** Finished tokens, in the order they were typed. */
  tokens: string[];
  /** What is still being typed. */
  text: string;
}

/** Whether a word is a token with a value. */
export function isToken(word: string): boolean {
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
  return { tokens, text: tokens.length > search.tokens.length ? text.trimStart() : text };
}

/** The search as the engine wants it: one line. */
export function line(search: Search): string {
  return [...search.tokens, search.text.trim()].filter((part) => part !== '').join(' ');
}

/** A token's two halves. */
export function halves(token: string): [string, string] {
  const colon = token.indexOf(':') + 1;
  return [token.slice(0, colon), token.slice(colon)];
}
