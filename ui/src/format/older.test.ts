import { expect, it } from 'vitest';

import { isNothing, older, olderInShort } from './older';

it('names what there is, and only that', () => {
  const check = (commands: number, unmatched: number, logs: number, words: string, short: string) => {
    const what = { commands, unmatched, logs };
    expect([older(what), olderInShort(what), isNothing(what)]).toEqual([words, short, words === '']);
  };
  check(0, 0, 0, '', 'them');
  check(1_200, 0, 0, '1,200 commands', '1,200 commands');
  check(0, 0, 1, '1 log', 'them');
  check(0, 1, 2, '1 answer without a command and 2 logs', 'them');
  check(1, 3, 1, '1 command, 3 answers without a command, and 1 log', 'them');
});
