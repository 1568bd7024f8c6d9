import { LosslessNumber } from 'lossless-json';
import { describe, expect, it } from 'vitest';

import { compare, isMultipleOf, isWhole, same } from './decimal';
import { fromJson } from './json';

const number = (text: string) => fromJson(text) as number | LosslessNumber;

describe('numbers', () => {
  it.each([
    ['1e1', '10.0', 0],
    ['-0', '0.000', 0],
    ['0.10', '1E-1', 0],
    ['9007199254740993', '9007199254740992', 1],
    ['10000000000000000000001', '1e22', 1],
    ['0.1000000000000000000001', '0.1', 1],
    ['-0.1000000000000000000001', '-0.1', -1],
    ['9', '10', -1],
    ['-9', '-10', 1],
    ['-1', '0', -1],
    ['0', '1e-999999', -1],
    ['1e400', '-1e400', 1],
    ['12', '123', -1],
  ])('%s and %s are in their order', (one, other, expected) => {
    expect(Math.sign(compare(number(one), number(other)))).toBe(expected);
    expect(Math.sign(compare(number(other), number(one)))).toBe(0 - expected);
  });

  it('are whole without a fraction, however they are written', () => {
    expect(['10', '1e1', '10.0', '1.5e1', '0'].every((text) => isWhole(number(text)))).toBe(true);
    expect(['1.00000000000000000000001', '1e-1'].some((text) => isWhole(number(text)))).toBe(false);
  });

  it.each([
    ['0.3', '0.1', true],
    ['0.30000000000000000001', '0.1', false],
    ['-4.02', '0.01', true],
    ['9007199254740993', '2', false],
    ['1e400', '3', false],
    ['3e400', '3', true],
    ['1e400', '1024', true],
    ['10', '1e2', false],
    ['0', '7', true],
  ])('%s is a multiple of %s: %s', (one, of, expected) => {
    expect(isMultipleOf(number(one), number(of))).toBe(expected);
  });
});

it('values are the same however their numbers are written', () => {
  expect(same(fromJson('{"a":[1e1,"x"],"b":null}'), fromJson('{"b":null,"a":[10.0,"x"]}'))).toBe(true);
  expect(same(fromJson('{"a":1}'), fromJson('{"a":1,"b":2}'))).toBe(false);
  expect(same(fromJson('[9007199254740993]'), fromJson('[9007199254740992]'))).toBe(false);
  expect(same('1', 1)).toBe(false);
  expect(same([], {})).toBe(false);
});
