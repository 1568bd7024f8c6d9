import { LosslessNumber } from 'lossless-json';
import { describe, expect, it } from 'vitest';

import { read, same, shown } from './config';

describe('an edited configuration value', () => {
  it.each([
    ['60', 30, 60],
    [' 7.5 ', 8, 7.5],
    ['false', true, false],
    [' keep the blanks ', 'x', ' keep the blanks '],
    ['[1, 2]', [1], [1, 2]],
    ['{"a":1}', {}, { a: 1 }],
    ['"anything"', null, 'anything'],
  ])('%j beside %j is read as %j', (typed, old, value) => expect(read(typed, old)).toEqual({ ok: true, value }));

  it.each([
    ['', 30, 'is not a number'],
    ['sixty', 30, 'is not a number'],
    ['Infinity', 30, 'is not a number'],
    ['yes', true, 'true or false'],
    ['{', {}, 'Not valid JSON'],
    ['[]', {}, 'Must be an object, not a list.'],
  ])('%j beside %j is refused in words', (typed, old, why) => {
    const edit = read(typed, old);
    expect(edit).toMatchObject({ ok: false, why: expect.stringContaining(why) as string });
  });

  it.each([
    ['-1e3', 1],
    ['7.50', 8],
    ['9007199254740993', new LosslessNumber('1.0')],
    ['{"a":9007199254740993}', {}],
  ])('%j beside %j keeps its digits', (typed, old) => {
    const edit = read(typed, old);
    expect(edit.ok && shown(edit.value)).toBe(typed);
  });

  it('is shown as it is typed', () => {
    expect(shown('pool.ntp.org')).toBe('pool.ntp.org');
    expect(shown(8)).toBe('8');
    expect(shown({ a: [1] })).toBe('{"a":[1]}');
    expect(shown(undefined)).toBe('');
  });

  it('is compared by value', () => {
    expect(same({ a: 1 }, { a: 1 })).toBe(true);
    expect(same('1', 1)).toBe(false);
  });
});
