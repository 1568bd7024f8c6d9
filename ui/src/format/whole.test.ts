import { expect, it } from 'vitest';

import { whole } from './whole';

it('takes whole numbers only, however they are set', () => {
  const check = (typed: string, expected: number | string) => {
    const read = whole(typed);
    expect(read.ok ? read.value : read.why, typed).toBe(expected);
  };
  check('365', 365);
  check(' 3,650 ', 3_650);
  check('0', 0);
  check('', 'Enter a number.');
  check('1.5', '“1.5” is not a whole number.');
  check('-1', '“-1” is not a whole number.');
  check('NaN', '“NaN” is not a whole number.');
  check('1e3', '“1e3” is not a whole number.');
  check('9999999999', 'The number is too large.');
});
