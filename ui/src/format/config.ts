/** Reads an edited configuration value with the type of the previous value. */

import { isLosslessNumber } from 'lossless-json';

import { readJson as readExactly, readNumber, toJson } from './json';

export type Edit = { ok: true; value: unknown } | { ok: false; why: string };

/** A configuration value as it is shown and edited. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : toJson(value);
}

/** The typed text as a value of the same JSON type as the current one. */
export function read(typed: string, old: unknown): Edit {
  const text = typed.trim();
  if (typeof old === 'string') return { ok: true, value: typed };
  if (typeof old === 'number' || isLosslessNumber(old)) {
    const value = readNumber(text);
    if (value !== null) return { ok: true, value };
    return { ok: false, why: `“${typed}” is not a number. Enter a number, for example 30 or 7.5.` };
  }
  if (typeof old === 'boolean') {
    if (text === 'true' || text === 'false') return { ok: true, value: text === 'true' };
    return { ok: false, why: `Enter true or false, not “${typed}”.` };
  }
  return readJson(text, old);
}

function readJson(text: string, old: unknown): Edit {
  const found = readExactly(text);
  if (!found.ok) {
    return { ok: false, why: 'Not valid JSON. Put text in double quotes, a list in [ ], an object in { }.' };
  }
  const { value } = found;
  if (old === null || kind(value) === kind(old)) return { ok: true, value };
  return { ok: false, why: `Must be ${kind(old)}, not ${kind(value)}.` };
}

function kind(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isLosslessNumber(value)) return 'a number';
  switch (typeof value) {
    case 'object':
      return value === null ? 'null' : 'an object';
    case 'number':
      return 'a number';
    case 'boolean':
      return 'true or false';
    default:
      return 'text';
  }
}

/** Whether two JSON values are the same. */
export function same(a: unknown, b: unknown): boolean {
  return a === b || toJson(a) === toJson(b);
}
