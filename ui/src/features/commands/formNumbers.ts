/**
 * Numbers in a form. The form library takes a value that is no plain one apart, so a number that is kept as its text
 * is a marked text in the form, and becomes a number again when it leaves the form.
 */

import { isLosslessNumber, LosslessNumber } from 'lossless-json';

/** From the private use area: it does not occur in typed text or in messages. */
const MARK = '\u{f8ff}number:';

/** A value as the form holds it. */
export function toForm(value: unknown): unknown {
  if (isLosslessNumber(value)) return `${MARK}${value.value}`;
  if (Array.isArray(value)) return value.map(toForm);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, toForm(member)]));
}

/** A value that the form holds, as it is. */
export function fromForm(value: unknown): unknown {
  if (typeof value === 'string' && value.startsWith(MARK)) return new LosslessNumber(value.slice(MARK.length));
  if (Array.isArray(value)) return value.map(fromForm);
  if (typeof value !== 'object' || value === null || isLosslessNumber(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, fromForm(member)]));
}
