import { describe, expect, it } from 'vitest';

import { pagesOf, rowTop, scrollTo, unfoldedRange, visibleRange } from './window';

describe('the rows that are drawn', () => {
  it('are those that are seen and a few around them', () => {
    expect(visibleRange(0, 640, 32, 100_000)).toEqual({ from: 0, to: 26 });
    expect(visibleRange(32_000, 640, 32, 100_000)).toEqual({ from: 994, to: 1_026 });
  });
  it('end with the list', () =>
    expect(visibleRange(3_199_360, 640, 32, 100_000)).toEqual({ from: 99_974, to: 100_000 }));
  it('are none in an empty list', () => expect(visibleRange(0, 640, 32, 0)).toEqual({ from: 0, to: 0 }));
  it('stay inside a list that became shorter', () => {
    expect(visibleRange(32_000, 640, 32, 3)).toEqual({ from: 2, to: 3 });
  });
  it('are at least one before the height is known', () => expect(visibleRange(0, 0, 32, 9).to).toBeGreaterThan(0));
});

describe('scrolling to a row', () => {
  it.each([
    ['above', 2, 320, 64],
    ['below', 40, 0, 1_312 - 640],
    ['in sight', 5, 0, 0],
  ])('%s', (_where, row, from, to) => expect(scrollTo(row, from, 640, 32)).toBe(to));
});

describe('pages', () => {
  it('cover a range', () => expect(pagesOf({ from: 95, to: 201 }, 100)).toEqual([0, 1, 2]));
  it('are none for none', () => expect(pagesOf({ from: 5, to: 5 }, 100)).toEqual([]));
});

describe('a list with an unfolded row', () => {
  const unfolded = { row: 3, height: 500 };

  it('moves what lies below it', () => {
    expect(rowTop(3, 32, unfolded)).toBe(96);
    expect(rowTop(4, 32, unfolded)).toBe(628);
  });
  it('draws the unfolded row while its panel fills the view', () => {
    const range = unfoldedRange(200, 300, 32, 1_000, unfolded, 0);
    expect(range.from).toBeLessThanOrEqual(4);
    expect(unfoldedRange(200, 300, 32, 1_000, unfolded).from).toBeLessThanOrEqual(3);
  });
  it('finds the rows after the panel', () => {
    expect(unfoldedRange(628 + 3_200, 320, 32, 1_000, unfolded, 0)).toEqual({ from: 104, to: 114 });
  });
});
