import { describe, expect, it } from 'vitest';

import { beside, layOut, placeAt, placesIn, positionOf, zoomed, type Layout } from './layout';

const groupsOf = (...counts: number[]) => {
  let from = 0;
  return counts.map((count) => {
    const group = { from, count };
    from += count;
    return group;
  });
};
const ROOM = { width: 820, height: 580, ratio: 1 };
const DESIGN = groupsOf(1912, 1406, 1288, 940, 655, 742, 512, 588, 3);

/** Every device has one tile within the width, and no two are at the same place. */
function expectSound(layout: Layout, devices: number, width: number) {
  const taken = new Set<string>();
  const [across, down] = [layout.pitch - layout.gap, layout.rise - layout.gap];
  for (let place = 0; place < devices; place++) {
    const { x, y } = positionOf(layout, place) ?? { x: NaN, y: NaN };
    const within = x >= 0 && y >= 0 && x + across <= width && y + down <= layout.height;
    if (!within || !Number.isInteger(x) || !Number.isInteger(y)) expect.fail(`the tile of ${place} is at ${x} ${y}`);
    taken.add(`${x} ${y}`);
  }
  expect(taken.size).toBe(devices);
}

describe('the wall', () => {
  it.each([
    ['the fleet of the design', DESIGN],
    ['one group', groupsOf(2_000)],
    ['one device', groupsOf(1)],
    ['a hundred groups of a few', groupsOf(...Array.from({ length: 100 }, (_, i) => 1 + (i % 7)))],
  ])('fits %s into its room', (_, groups) => {
    const layout = layOut(groups, ROOM);
    const devices = groups.reduce((sum, { count }) => sum + count, 0);
    expect(layout.height).toBeLessThanOrEqual(ROOM.height);
    expectSound(layout, devices, ROOM.width);
  });

  it('uses the room: a tile one pixel larger would not fit', () => {
    const layout = layOut(DESIGN, ROOM);
    expect(layout.pitch).toBeGreaterThanOrEqual(6);
    expect(layOut(DESIGN, ROOM, layout.pitch + 1).height).toBeGreaterThan(ROOM.height);
  });

  it('is scrolled where even the smallest tiles do not fit', () => {
    const layout = layOut(groupsOf(400_000), ROOM);
    expect(layout.pitch).toBe(3);
    expect(layout.height).toBeGreaterThan(ROOM.height);
    expect(layOut(groupsOf(2_000), ROOM, 40).height).toBeGreaterThan(ROOM.height);
  });

  it('has tiles of whole device pixels at any ratio', () => {
    for (const ratio of [1, 1.25, 1.5, 2]) {
      const room = { width: Math.floor(820 * ratio), height: Math.floor(580 * ratio), ratio };
      expectSound(layOut(DESIGN, room), 8_046, room.width);
    }
  });

  it('finds the device under every tile, and none beside them', () => {
    const layout = layOut(DESIGN, ROOM);
    for (let place = 0; place < 8_046; place += 7) {
      const { x, y } = positionOf(layout, place) ?? { x: -1, y: -1 };
      expect(placeAt(layout, x, y)).toBe(place);
      expect(placeAt(layout, x + layout.pitch - 1, y + layout.rise - 1)).toBe(place);
    }
    expect(placeAt(layout, 3, 5)).toBe(-1);
    expect(placeAt(layout, 3, layout.height + 5)).toBe(-1);
    expect(positionOf(layout, 8_046)).toBeNull();
  });

  it('finds what a frame touches, as if each tile were looked at', () => {
    const layout = layOut(DESIGN, ROOM);
    for (const frame of [
      { left: 100, top: 60, right: 190, bottom: 130 },
      { left: 0, top: 0, right: 820, bottom: 580 },
      { left: 400, top: 100, right: 700, bottom: 400 },
      { left: 4, top: 2, right: 5, bottom: 3 },
    ]) {
      const found = placesIn(layout, frame).flatMap(({ from, to }) =>
        Array.from({ length: to - from }, (_, i) => from + i),
      );
      const touched = Array.from({ length: 8_046 }, (_, place) => place).filter((place) => {
        const { x, y } = positionOf(layout, place) ?? { x: -99, y: -99 };
        const [width, height] = [layout.pitch - layout.gap, layout.rise - layout.gap];
        return (
          x <= frame.right &&
          x + width > frame.left - 1 + 1e-9 &&
          y <= frame.bottom &&
          y + height > frame.top - 1 + 1e-9
        );
      });
      // A frame that ends in the gap after a tile may take it or not.
      const off = found.filter((place) => !touched.includes(place));
      expect(off).toEqual([]);
      const strictly = touched.filter((place) => {
        const { x, y } = positionOf(layout, place) ?? { x: -99, y: -99 };
        return x + layout.pitch - layout.gap > frame.left && y + layout.rise - layout.gap > frame.top;
      });
      expect(strictly.filter((place) => !found.includes(place))).toEqual([]);
    }
  });

  it('leads the keyboard from tile to tile and on to the next group', () => {
    const layout = layOut(DESIGN, ROOM);
    const [first, second] = layout.blocks;
    if (!first || !second) throw new Error('no blocks');
    expect(beside(layout, 0, 'down')).toBe(1);
    expect(beside(layout, 0, 'right')).toBe(first.deep);
    expect(beside(layout, first.deep, 'left')).toBe(0);
    expect(beside(layout, 0, 'left')).toBe(0);
    expect(beside(layout, 0, 'up')).toBe(0);
    const below = beside(layout, first.deep - 1, 'down');
    expect(below).toBeGreaterThan(first.deep);
    expect(beside(layout, below, 'up')).toBe(first.deep - 1);
    expect(beside(layout, second.from, 'left')).toBeLessThan(second.from);
  });

  it('can be gone through whole with → and ↓', () => {
    const layout = layOut(groupsOf(50, 3, 40, 7), ROOM);
    const seen = new Set([0]);
    const ahead = [0];
    for (let place = ahead.pop(); place !== undefined; place = ahead.pop()) {
      for (const direction of ['down', 'right', 'left', 'up'] as const) {
        const next = beside(layout, place, direction);
        if (!seen.has(next)) ahead.push(next);
        seen.add(next);
      }
    }
    expect(seen.size).toBe(100);
  });

  it('zooms by steps, as far as it goes', () => {
    expect(zoomed(6, 1, 1)).toBe(8);
    expect(zoomed(3, -1, 1)).toBe(3);
    expect(zoomed(3, 1, 1)).toBe(4);
    expect(zoomed(48, 1, 1)).toBe(48);
  });
});
