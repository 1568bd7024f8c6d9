import { expect, it } from 'vitest';

import { keyNames, keyText } from './keys';

it('names keys as this computer’s keyboard does', () => {
  const check = (keys: string, mac: boolean, names: string[], words: string) => {
    expect(keyNames(keys, mac)).toEqual(names);
    expect(keyText(keys, mac)).toBe(words);
  };
  check('l', false, ['L'], 'L');
  check('?', false, ['?'], '?');
  check('g f', false, ['G', 'F'], 'G then F');
  check('mod+k', false, ['Ctrl', 'K'], 'Ctrl+K');
  check('mod+k', true, ['⌘', 'K'], '⌘K');
  check('shift+Enter', false, ['Shift', 'Enter'], 'Shift+Enter');
  check('+', false, ['+'], '+');
});
