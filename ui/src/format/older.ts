import type { Older } from '../backend/bindings/Older';
import { counted } from './count';

const listed = new Intl.ListFormat('en', { type: 'conjunction' });

/** Nothing is older. */
export function isNothing({ commands, unmatched, logs }: Older): boolean {
  return commands + unmatched + logs === 0;
}

/** The number of old entries: `1,200 commands, 3 answers without a command, and 1 log`. */
export function older({ commands, unmatched, logs }: Older): string {
  const kinds: [number, string, string][] = [
    [commands, 'command', 'commands'],
    [unmatched, 'answer without a command', 'answers without a command'],
    [logs, 'log', 'logs'],
  ];
  return listed.format(kinds.filter(([n]) => n > 0).map(([n, one, many]) => counted(n, one, many)));
}

/** The same as short as a button is. */
export function olderInShort(what: Older): string {
  return what.commands > 0 && what.unmatched + what.logs === 0 ? older(what) : 'them';
}
