import { expect, it } from 'vitest';

import { fitTags } from './tags';

it('shows the tags that fit, and counts those that do not', () => {
  const check = (tags: string[], width: number, shown: number, more: number) => {
    const fit = fitTags(tags, width);
    expect([fit.shown.length, fit.more]).toEqual([shown, more]);
  };
  check([], 100, 0, 0);
  check(['kitchen'], 20, 1, 0);
  check(['kitchen', 'line-1'], 120, 2, 0);
  check(['kitchen', 'line-1'], 100, 1, 1);
  check(['kitchen', 'line-1', 'a', 'b'], 100, 1, 3);
  check(['kitchen', 'line-1', 'a', 'b'], 500, 4, 0);
});
