/** Reading an edited configuration value as the kind of value it was. */

import { readJson as readExactly, TOO_LARGE } from './json';

export type Edit = { ok: true; value: unknown } | { ok: false; why: string };

/** A configuration value as it is shown and edited. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** What was typed, as a value of the same JSON type as the one that stands there. */
export function read(typed: string, old: unknown): Edit {
  const text = typed.trim();
  if (typeof old === 'string') return { ok: true, value: typed };
  if (typeof old === 'number') {
    const value = Number(text);
    if (text === '' || !Number.isFinite(value) || !/^[-+]?[\d.]/.test(text)) {
      return { ok: false, why: `It is a number: “${typed}” is not one. Write for instance 30 or 7.5.` };
    }
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      return { ok: false, why: TOO_LARGE };
    }
    return { ok: true, value };
  }
  if (typeof old === 'boolean') {
    if (text === 'true' || text === 'false') return { ok: true, value: text === 'true' };
    return { ok: false, why: `It is yes or no: write true or false, not “${typed}”.` };
  }
  return readJson(text, old);
}

function readJson(text: string, old: unknown): Edit {
  const found = readExactly(text);
  if (!found.ok && found.why === TOO_LARGE) return { ok: false, why: TOO_LARGE };
  if (!found.ok) {
    return { ok: false, why: 'That is not JSON. Text stands in double quotes, a list in [ ], an object in { }.' };
  }
  const { value } = found;
  if (old === null || kind(value) === kind(old)) return { ok: true, value };
  return { ok: false, why: `It is ${kind(old)}, and what you wrote is ${kind(value)}.` };
}

function kind(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
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
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
