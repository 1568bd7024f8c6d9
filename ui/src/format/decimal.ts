/** Numbers in JSON notation, compared to the last digit. */

import { isLosslessNumber, type LosslessNumber } from 'lossless-json';

import { isObject } from './json';

export type Numeric = number | LosslessNumber;

/** A number without zeros at either end of its digits; zero has none. */
interface Decimal {
  sign: -1 | 0 | 1;
  digits: string;
  /** The power of ten of the last digit. */
  power: number;
}

export function isNumeric(value: unknown): value is Numeric {
  return typeof value === 'number' || isLosslessNumber(value);
}

/** Below zero where the first number is the smaller one, above zero where it is the larger one. */
export function compare(one: Numeric, other: Numeric): number {
  const [a, b] = [decimal(one), decimal(other)];
  if (a.sign !== b.sign) return a.sign - b.sign;
  // Digits without zeros at either end are in the order of texts where the first ones have the same power.
  const further = a.power + a.digits.length - (b.power + b.digits.length) || (a.digits < b.digits ? -1 : 1);
  return a.digits === b.digits && a.power === b.power ? 0 : further * a.sign;
}

export function isWhole(value: Numeric): boolean {
  return decimal(value).power >= 0;
}

export function isMultipleOf(value: Numeric, of: Numeric): boolean {
  const [number, divisor] = [decimal(value), decimal(of)];
  if (number.sign === 0) return true;
  // The last digit is no zero, so the digits are no multiple of ten.
  if (divisor.sign === 0 || number.power < divisor.power) return false;
  // More zeros than the divisor has twos and fives as factors change nothing.
  const zeros = Math.min(number.power - divisor.power, 4 * divisor.digits.length);
  return BigInt(number.digits + '0'.repeat(zeros)) % BigInt(divisor.digits) === 0n;
}

/** Whether two values are the same, however their numbers are written: `1e1` is `10.0`. */
export function same(one: unknown, other: unknown): boolean {
  if (isNumeric(one) && isNumeric(other)) return compare(one, other) === 0;
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((item, at) => same(item, other[at]));
  if (!isObject(one) || !isObject(other)) return one === other;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && same(one[name], other[name]))
  );
}

function decimal(value: Numeric): Decimal {
  const text = typeof value === 'number' ? String(value) : value.value;
  const [, minus, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const all = whole + fraction;
  const kept = all.replace(/0+$/, '');
  const digits = kept.replace(/^0+/, '');
  if (digits === '') return { sign: 0, digits, power: 0 };
  return {
    sign: minus === '-' ? -1 : 1,
    digits,
    power: Number(exponent) - fraction.length + (all.length - kept.length),
  };
}
