import { describe, expect, it } from 'vitest';

import type { DeviceGroup } from '../backend/bindings/DeviceGroup';
import { Lines } from './lines';

const group = (tag: string, from: number, count: number): DeviceGroup => ({
  key: { by: 'tag', tag },
  search: `tag:${tag}`,
  from,
  count,
  elsewhere: 0,
});
const GROUPS = [group('a', 0, 2), group('b', 2, 3), group('c', 5, 1)];

describe('the lines of a list', () => {
  it('are its devices where nothing is grouped', () => {
    const lines = new Lines(3, [], new Set());
    expect([lines.count, lines.at(2)?.index, lines.at(3), lines.of(1), lines.of(3)]).toEqual([3, 2, null, 1, -1]);
  });

  it('have a head for each group, and only that where it is folded', () => {
    const lines = new Lines(6, GROUPS, new Set(['tag:b']));
    const all = Array.from({ length: lines.count }, (_, i) => lines.at(i));
    expect(all.map((line) => line?.group?.search ?? line?.index)).toEqual(['tag:a', 0, 1, 'tag:b', 'tag:c', 5]);
    expect([0, 1, 2, 4, 5].map((index) => lines.of(index))).toEqual([1, 2, 3, 3, 5]);
  });
});
