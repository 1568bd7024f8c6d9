/**
 * JSON that keeps its digits. A number that a double (IEEE 754) would alter or write otherwise is kept as its text, in a
 * `LosslessNumber`: values are exchanged with the engine as JSON text. What a person types is read with the place
 * of every value, so that a mistake has a line. `jsonc-parser` finds places too, but reads numbers as doubles, lets equal keys
 * pass, and names mistakes by code: only its scanner would be of use.
 */

import { isLosslessNumber, LosslessNumber, parse, stringify } from 'lossless-json';

/** A value as the engine has it. Of equal keys, which only a device can have written, the last one counts. */
export function fromJson(text: string): unknown {
  try {
    return parse(text, null, { parseNumber: exactly, onDuplicateKey: ({ newValue }) => newValue });
  } catch {
    return text;
  }
}

/** A JSON object as the engine has it; an empty one for anything else. */
export function objectFrom(text: string): Record<string, unknown> {
  const value = fromJson(text);
  return isObject(value) ? value : {};
}

/** A value as JSON text, every number as it was written. */
export function toJson(value: unknown, indent?: number): string {
  return stringify(value, null, indent) ?? 'null';
}

/** A JSON text with a line for each part. The parts stay as they are written; so does what is no JSON. */
export function indented(text: string): string {
  if (!readJson(text).ok) return text;
  let [written, level, last] = ['', 0, ''];
  for (const [part] of text.matchAll(PART)) {
    const [opens, closes] = [part === '{' || part === '[', part === '}' || part === ']'];
    const isFirst = last === '{' || last === '[';
    if (closes) level -= 1;
    if (closes ? !isFirst : isFirst || last === ',') written += `\n${'  '.repeat(level)}`;
    if (opens) level += 1;
    written += part === ':' ? ': ' : part;
    last = part;
  }
  return written;
}

/** A number as it is written: a plain one where that is written the same. */
function exactly(text: string): number | LosslessNumber {
  return String(Number(text)) === text ? Number(text) : new LosslessNumber(text);
}

/** A value with the nearest numbers that JavaScript has: to compare and check with, never to send or show. */
export function nearest(value: unknown): unknown {
  if (isLosslessNumber(value)) return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, Number(value.value)));
  if (Array.isArray(value)) return value.map(nearest);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, nearest(member)]));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isLosslessNumber(value);
}

export type Read =
  { ok: true; value: unknown; lines: Map<string, number> } | { ok: false; line: number; column: number; why: string };

/** A value's place as text: `steps.1.at`, empty for the outermost. */
export function placeOf(path: readonly (string | number)[]): string {
  return path.join('.');
}

const SPACE = /[ \t\r\n]*/y;
// eslint-disable-next-line no-control-regex -- JSON wants them escaped
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const PART = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g;
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
  let [line, counted] = [1, 0];

  /** Values come in the order of the text, so that each part of it is counted once. */
  function currentLine(): number {
    for (; counted < at; counted += 1) if (text[counted] === '\n') line += 1;
    return line;
  }

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
    throw new Mistake(at, open ? 'This text has no closing quote or contains a line break.' : what);
  }

  function value(path: (string | number)[]): unknown {
    if (path.length > DEEPEST) throw new Mistake(at, `Nested more than ${DEEPEST} levels deep.`);
    space();
    lines.set(placeOf(path), currentLine());
    const c = text[at];
    if (c === '{') return object(path);
    if (c === '[') return array(path);
    if (c === '"') return string('');
    const plain = take(PLAIN);
    if (plain !== undefined) return /^[-\d]/.test(plain) ? exactly(plain) : (JSON.parse(plain) as unknown);
    throw new Mistake(at, c === undefined ? 'Expected a value.' : 'Put text in double quotes: "on".');
  }

  function object(path: (string | number)[]): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    at += 1;
    space();
    if (text[at] === '}') return close(out);
    for (;;) {
      space();
      const start = at;
      const key = string('Expected a name in double quotes: {"on": true}.');
      if (Object.hasOwn(out, key)) throw new Mistake(start, `“${key}” occurs twice. Remove one.`);
      space();
      if (text[at] !== ':') throw new Mistake(at, 'Expected a colon.');
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
    if (text[at] !== ',') throw new Mistake(at, `Expected a comma or ${end}.`);
    at += 1;
    return true;
  }

  try {
    const whole = value([]);
    space();
    if (at < text.length) throw new Mistake(at, 'Unexpected text after the end.');
    return { ok: true, value: whole, lines };
  } catch (reason) {
    if (!(reason instanceof Mistake)) throw reason;
    const before = text.slice(0, reason.at);
    const column = reason.at - (before.lastIndexOf('\n') + 1) + 1;
    return { ok: false, line: lineAt(text, reason.at), column, why: reason.message };
  }
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** A typed number with every digit; nothing if it is not a number. */
export function readNumber(text: string): number | LosslessNumber | null {
  const plain = text.trim();
  if (!isNumeric(plain)) return null;
  if (JSON_NUMBER.test(plain)) return exactly(plain);
  // `+5`, `5.` and `.5` are no JSON: the same number is written as JSON has it.
  const [, sign, whole, fraction, exponent] = /^([+-]?)(\d*)(?:\.(\d*))?(.*)$/.exec(plain) ?? [];
  const digits = (whole ?? '').replace(/^0+(?=\d)/, '') || '0';
  return exactly(`${sign === '-' ? '-' : ''}${digits}${fraction ? `.${fraction}` : ''}${exponent ?? ''}`);
}

/** Whether it is written as a number. */
function isNumeric(text: string): boolean {
  return NUMBER.test(text.trim());
}

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}
