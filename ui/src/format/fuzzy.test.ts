import { describe, expect, it } from 'vitest';

import { fuzzy, runs } from './fuzzy';

/** The text with what was found in brackets; nothing where it does not fit. */
function marked(typed: string, text: string): string | null {
  const match = fuzzy(typed, text);
  return (
    match &&
    runs(text, match.at)
      .map((run) => (run.found ? `[${run.text}]` : run.text))
      .join('')
  );
}

describe('fuzzy', () => {
  it('finds words in any order, and letters that begin words', () => {
    const check = (typed: string, text: string, expected: string | null) =>
      expect(marked(typed, text), typed).toBe(expected);
    check('', 'Fleet', 'Fleet');
    check('fl', 'Go to Fleet', 'Go to [Fl]eet');
    check('dark theme', 'Theme: dark', '[Theme]: [dark]');
    check('gtf', 'Go to Fleet', '[G]o [t]o [F]leet');
    check('set', 'Reset settings', 'Reset [set]tings');
    check('ese', 'Reset', 'R[ese]t');
    check('xyz', 'Go to Fleet', null);
    check('goe', 'Choose another', null);
    check('fleet led', 'Go to Fleet', null);
  });

  it('puts the start of a word before its inside, and that before scattered letters', () => {
    const score = (typed: string, text: string) => fuzzy(typed, text)?.score ?? -1;
    expect(score('re', 'Restart')).toBeGreaterThan(score('re', 'Add more'));
    expect(score('hi', 'History')).toBeGreaterThan(score('hi', 'Show History'));
    expect(score('gf', 'Go to Fleet')).toBeLessThan(score('fl', 'Go to Fleet'));
  });
});
