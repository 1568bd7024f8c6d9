/**
 * JSON read so that every value's place is known, and a mistake has a line: engines tell neither, or each in its own
 * way.
 */

export type Read =
  { ok: true; value: unknown; lines: Map<string, number> } | { ok: false; line: number; column: number; why: string };

export const TOO_LARGE =
  'That number is too large to be kept exactly. Send it as text, in double quotes, or from the command line.';

/** A value's place as text: `steps.1.at`, empty for the outermost. */
export function placeOf(path: readonly (string | number)[]): string {
  return path.join('.');
}

const SPACE = /[ \t\r\n]*/y;
// eslint-disable-next-line no-control-regex -- JSON wants them escaped
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const PLAIN = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const DEEPEST = 100;

class Mistake extends Error {
  constructor(
    readonly at: number,
    message: string,
  ) {
    super(message);
  }
}

export function readJson(text: string): Read {
  const lines = new Map<string, number>();
  let at = 0;

  const take = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const space = () => take(SPACE);

  function string(what: string): string {
    const found = take(STRING);
    if (found !== undefined) return JSON.parse(found) as string;
    const open = text[at] === '"';
    throw new Mistake(at, open ? 'This text has no closing quote, or a line break in it.' : what);
  }

  function value(path: (string | number)[]): unknown {
    if (path.length > DEEPEST) throw new Mistake(at, `It is deeper than ${DEEPEST} levels.`);
    space();
    lines.set(placeOf(path), lineAt(text, at));
    const c = text[at];
    if (c === '{') return object(path);
    if (c === '[') return array(path);
    if (c === '"') return string('');
    const start = at;
    const plain = take(PLAIN);
    if (plain !== undefined && !isKept(plain)) throw new Mistake(start, TOO_LARGE);
    if (plain !== undefined) return JSON.parse(plain) as unknown;
    throw new Mistake(at, c === undefined ? 'A value is missing.' : 'Text stands in double quotes: "on".');
  }

  function object(path: (string | number)[]): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    at += 1;
    space();
    if (text[at] === '}') return close(out);
    for (;;) {
      space();
      const key = string('Here a name in double quotes is missing: {"on": true}.');
      space();
      if (text[at] !== ':') throw new Mistake(at, 'Here a : is missing.');
      at += 1;
      const member = value([...path, key]);
      // Not by assignment, which treats __proto__ as something else.
      Object.defineProperty(out, key, { value: member, enumerable: true, writable: true, configurable: true });
      if (!another('}')) return close(out);
    }
  }

  function array(path: (string | number)[]): unknown[] {
    const out: unknown[] = [];
    at += 1;
    space();
    if (text[at] === ']') return close(out);
    for (;;) {
      out.push(value([...path, out.length]));
      if (!another(']')) return close(out);
    }
  }

  function close<T>(out: T): T {
    at += 1;
    return out;
  }

  function another(end: string): boolean {
    space();
    if (text[at] === end) return false;
    if (text[at] !== ',') throw new Mistake(at, `Here a , or a ${end} is missing.`);
    at += 1;
    return true;
  }

  try {
    const whole = value([]);
    space();
    if (at < text.length) throw new Mistake(at, 'Something stands after the end.');
    return { ok: true, value: whole, lines };
  } catch (reason) {
    if (!(reason instanceof Mistake)) throw reason;
    const before = text.slice(0, reason.at);
    const column = reason.at - (before.lastIndexOf('\n') + 1) + 1;
    return { ok: false, line: lineAt(text, reason.at), column, why: reason.message };
  }
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** What somebody typed as a number, as far as it is one that can be sent. */
export function readNumber(text: string): number | null {
  const number = isNumeric(text) ? Number(text) : Infinity;
  return Number.isFinite(number) ? number : null;
}

/** Whether it is written as a number, be it too large to be one here. */
export function isNumeric(text: string): boolean {
  return NUMBER.test(text.trim());
}

/** Whether what is read of a plain value says the same: a double (IEEE 754) holds 53 bits of a whole number. */
function isKept(plain: string): boolean {
  if (!/^-?\d/.test(plain)) return true;
  const value = Number(plain);
  return Number.isFinite(value) && (!/^-?\d+$/.test(plain) || BigInt(plain) === BigInt(value));
}

/** The places of whole numbers that may have lost digits where they were typed. */
export function inexact(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value) ? [path] : [];
  if (Array.isArray(value)) return value.flatMap((item, i) => inexact(item, [...path, i]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => inexact(member, [...path, name]));
}

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}
