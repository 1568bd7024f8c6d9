/** The length of the texts in the first column. */

import type { DeviceRow } from '../../backend/bindings/DeviceRow';
import { visibleName } from '../../format/text';

/** By row: a row never changes, another one takes its place. */
const lengths = new WeakMap<DeviceRow, number>();

/** The letters of the longest ID with its name. Each row is read once, however often it is asked for. */
export function longestLabel(rows: Iterable<DeviceRow>): number {
  let longest = 0;
  for (const row of rows) {
    let length = lengths.get(row);
    if (length === undefined) {
      length = lengthOf(row);
      lengths.set(row, length);
    }
    longest = Math.max(longest, length);
  }
  return longest;
}

function lengthOf({ device, name }: DeviceRow): number {
  return visibleName(device).length + (name === null ? 0 : visibleName(name).length + 2);
}
