import { describe, expect, it } from 'vitest';

import { pagesOf, placementOf, rowTop, scrollTo, visibleRange } from './window';

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

describe('rows ahead', () => {
  it('are drawn in the direction of travel, before they are seen', () => {
    expect(visibleRange(32_000, 640, 32, 100_000, { ahead: 18 })).toEqual({ from: 994, to: 1_044 });
    expect(visibleRange(32_000, 640, 32, 100_000, { ahead: -18 })).toEqual({ from: 976, to: 1_026 });
    expect(visibleRange(0, 640, 32, 100_000, { ahead: -18 })).toEqual({ from: 0, to: 26 });
    expect(visibleRange(3_199_360, 640, 32, 100_000, { ahead: 18 })).toEqual({ from: 99_974, to: 100_000 });
  });
});

describe('the place of a row in its layer', () => {
  const placeOf = (row: number, scrollTop: number, ahead: number) => {
    const { from } = visibleRange(scrollTop, 640, 32, 100_000, { ahead });
    const { above, moved } = placementOf(from, scrollTop, 32);
    return { inLayer: above + (row - from) * 32, seenAt: moved + above + (row - from) * 32 };
  };
  it('stays while rows before and after it come and go, so that it is not painted again', () => {
    const places = Array.from({ length: 19 }, (_, i) => placeOf(1_215, 38_400 + i * 32, i < 10 ? 18 : -18));
    expect(new Set(places.map(({ inLayer }) => inLayer)).size).toBe(1);
    expect(places.map(({ seenAt }) => seenAt)).toEqual(places.map((_, i) => 480 - i * 32));
  });
  it('is right wherever the layer begins, and the layer is never high', () => {
    for (const scrollTop of [0, 31_990, 32_000, 32_200, 1_000_000, 3_199_360]) {
      const row = Math.ceil(scrollTop / 32);
      const { inLayer, seenAt } = placeOf(row, scrollTop, 0);
      expect(seenAt).toBe(row * 32 - scrollTop);
      expect(inLayer).toBeLessThan(350 * 32);
    }
  });
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
    const range = visibleRange(200, 300, 32, 1_000, { around: 0, unfolded });
    expect(range.from).toBeLessThanOrEqual(4);
    expect(visibleRange(200, 300, 32, 1_000, { unfolded }).from).toBeLessThanOrEqual(3);
  });
  it('finds the rows after the panel', () => {
    expect(visibleRange(628 + 3_200, 320, 32, 1_000, { around: 0, unfolded })).toEqual({ from: 104, to: 114 });
  });
  it('places rows before and after the panel where they are seen', () => {
    for (const [from, scrollTop] of [
      [0, 0],
      [3, 96],
      [104, 3_828],
      [300, 10_100],
    ] as const) {
      const { above, moved } = placementOf(from, scrollTop, 32, unfolded);
      expect(above + moved).toBe(rowTop(from, 32, unfolded) - scrollTop);
    }
  });
});
