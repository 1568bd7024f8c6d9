import { expect, it } from 'vitest';

import { visibleName } from './text';

it('shows names that differ as different', () => {
  const check = (name: string, expected: string) => expect(visibleName(name)).toBe(expected);
  check('pump 7', 'pump 7');
  check('pump-7 ', 'pump-7␣');
  check(' pump-7', '␣pump-7');
  check('pump  7', 'pump␣␣7');
  check('pump\u200b7', 'pump\\u200b7');
  check('pump\u00a07', 'pump\\u00a07');
  check('caf\u00e9', 'caf\u00e9');
  check('cafe\u0301', 'cafe\\u0301');
});
