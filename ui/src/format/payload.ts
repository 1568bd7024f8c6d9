/** A payload as coloured pieces of text. Purely lexical: nothing is parsed, so nothing is changed or refused. */

import { visibleLines } from './text';

export interface Piece {
  kind: 'plain' | 'key' | 'id';
  text: string;
}

/** How much of a payload is shown at first. */
const SHOWN_AT_FIRST = 4_096;

const STRING = /"(?:[^"\\]|\\.)*"/y;

/**
 * Cuts JSON into pieces, with each member of the outermost object on its own line. Other text is returned as one piece.
 * `id` is the value to be found at a glance.
 */
export function pieces(payload: string, id: string | null): Piece[] {
  const text = payload.trim();
  if (!text.startsWith('{')) return [{ kind: 'plain', text: visibleLines(payload) }];
  const out: Piece[] = [];
  const push = (kind: Piece['kind'], piece: string) => {
    const last = out.at(-1);
    if (last && last.kind === kind && kind === 'plain') last.text += piece;
    else out.push({ kind, text: piece });
  };
  let depth = 0;
  let i = 0;
  while (i < text.length) {
    const c = text[i] as string;
    if (c === '"') {
      STRING.lastIndex = i;
      const string = STRING.exec(text)?.[0] ?? text.slice(i);
      i += string.length;
      const isKey = /^\s*:/.test(text.slice(i, i + 16));
      const kind = isKey ? 'key' : id !== null && string === JSON.stringify(id) ? 'id' : 'plain';
      push(kind, visibleLines(string));
      continue;
    }
    if (c === '{' || c === '[') depth += 1;
    if (c === '}' || c === ']') depth -= 1;
    i += 1;
    if (c === ',' || c === ':') {
      const blank = /^\s*/.exec(text.slice(i, i + 64))?.[0].length ?? 0;
      i += blank;
      push('plain', c === ',' && depth === 1 ? ',\n ' : `${c} `);
      continue;
    }
    push('plain', visibleLines(c));
  }
  return out;
}

/** The first part of a long text, never cut inside a surrogate pair. */
export function cut(text: string, at = SHOWN_AT_FIRST): { text: string; left: number } {
  if (text.length <= at) return { text, left: 0 };
  const end = /[\ud800-\udbff]/.test(text[at - 1] as string) ? at - 1 : at;
  return { text: text.slice(0, end), left: text.length - end };
}
