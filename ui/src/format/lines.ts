/** The lines of a list of devices: a header for each group, and the devices of expanded groups. */

import type { DeviceGroup } from '../backend/bindings/DeviceGroup';

export type Line = { group: DeviceGroup; folded: boolean; index: null } | { group: null; index: number };

/** The line of each group's head. */
interface Segment {
  group: DeviceGroup;
  line: number;
  folded: boolean;
}

export class Lines {
  readonly count: number;
  readonly #segments: Segment[];

  /** `folded` has the searches of the groups of which only the head is shown. */
  constructor(
    readonly devices: number,
    groups: readonly DeviceGroup[],
    folded: ReadonlySet<string>,
  ) {
    let line = 0;
    this.#segments = groups.map((group) => {
      const segment = { group, line, folded: folded.has(group.search) };
      line += 1 + (segment.folded ? 0 : group.count);
      return segment;
    });
    this.count = groups.length === 0 ? devices : line;
  }

  /** The content of a line. */
  at(line: number): Line | null {
    if (line < 0 || line >= this.count) return null;
    const segment = this.#segmentBy(line, (one) => one.line);
    if (segment === null) return { group: null, index: line };
    const { group, folded } = segment;
    return line === segment.line
      ? { group, folded, index: null }
      : { group: null, index: group.from + line - segment.line - 1 };
  }

  /** The line of a device by its place in the list; that of its group's head while it is folded, -1 for none. */
  of(index: number): number {
    if (index < 0 || index >= this.devices) return -1;
    const segment = this.#segmentBy(index, (one) => one.group.from);
    if (segment === null) return index;
    return segment.folded ? segment.line : segment.line + 1 + index - segment.group.from;
  }

  /** The last group that begins there or before. */
  #segmentBy(place: number, begins: (segment: Segment) => number): Segment | null {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const segment = this.#segments[middle];
      if (segment && begins(segment) <= place) low = middle + 1;
      else high = middle;
    }
    return this.#segments[low - 1] ?? null;
  }
}
