import { describe, expect, it } from 'vitest';

import { read, same, shown } from './config';

describe('an edited configuration value', () => {
  it.each([
    ['60', 30, 60],
    [' 7.5 ', 8, 7.5],
    ['-1e3', 1, -1_000],
    ['false', true, false],
    [' keep the blanks ', 'x', ' keep the blanks '],
    ['[1, 2]', [1], [1, 2]],
    ['{"a":1}', {}, { a: 1 }],
    ['"anything"', null, 'anything'],
  ])('%j beside %j is read as %j', (typed, old, value) => expect(read(typed, old)).toEqual({ ok: true, value }));

  it.each([
    ['', 30, 'It is a number'],
    ['sixty', 30, 'It is a number'],
    ['Infinity', 30, 'It is a number'],
    ['9007199254740993', 1, 'too large'],
    ['{"a": 9007199254740993}', {}, 'too large'],
    ['yes', true, 'true or false'],
    ['{', {}, 'not JSON'],
    ['[]', {}, 'It is an object, and what you wrote is a list.'],
  ])('%j beside %j is refused in words', (typed, old, why) => {
    const edit = read(typed, old);
    expect(edit).toMatchObject({ ok: false, why: expect.stringContaining(why) as string });
  });

  it('is shown as it is typed', () => {
    expect(shown('pool.ntp.org')).toBe('pool.ntp.org');
    expect(shown(8)).toBe('8');
    expect(shown({ a: [1] })).toBe('{"a":[1]}');
    expect(shown(undefined)).toBe('');
  });

  it('is compared by what it says', () => {
    expect(same({ a: 1 }, { a: 1 })).toBe(true);
    expect(same('1', 1)).toBe(false);
  });
});
