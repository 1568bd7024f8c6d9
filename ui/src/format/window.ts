/** Which rows of a long list are to be drawn. All rows have the same height. */

export interface Range {
  /** The first row. */
  from: number;
  /** One after the last. */
  to: number;
}

/**
 * The rows that are seen, and some before and after them. `ahead`: so many more in the direction of travel, which are
 * above where it is negative.
 */
export function visibleRange(
  scrollTop: number,
  height: number,
  rowHeight: number,
  count: number,
  around = 6,
  ahead = 0,
): Range {
  if (count <= 0 || rowHeight <= 0) return { from: 0, to: 0 };
  const first = Math.floor(Math.max(0, scrollTop) / rowHeight) - around + Math.min(0, ahead);
  const last = Math.ceil((Math.max(0, scrollTop) + Math.max(0, height)) / rowHeight) + around + Math.max(0, ahead);
  const from = Math.min(Math.max(0, first), Math.max(0, count - 1));
  return { from, to: Math.min(count, Math.max(from + 1, last)) };
}

/** So many rows have one origin. */
const BLOCK = 250;

/** Where rows are drawn that begin with `from`, pixels. */
interface Placement {
  /** The height above them in their layer. */
  above: number;
  /** How far the layer is moved down from the upper edge of what is seen. */
  moved: number;
}

/**
 * Places rows in a layer that is moved as a whole. A row keeps its place in the layer while others come and go: it is not
 * painted again for that, and what is painted late is not seen yet. A layer does not become arbitrarily high.
 */
export function placementOf(from: number, scrollTop: number, rowHeight: number): Placement {
  const origin = Math.floor(from / BLOCK) * BLOCK;
  return { above: (from - origin) * rowHeight, moved: origin * rowHeight - scrollTop };
}

/** Where to scroll so that a row is wholly seen; the same place where it is already. */
export function scrollTo(row: number, scrollTop: number, height: number, rowHeight: number): number {
  const top = row * rowHeight;
  if (top < scrollTop) return top;
  if (top + rowHeight > scrollTop + height) return Math.max(0, top + rowHeight - height);
  return scrollTop;
}

/** The pages that hold a range. */
export function pagesOf(range: Range, pageSize: number): number[] {
  if (range.to <= range.from) return [];
  const first = Math.floor(range.from / pageSize);
  const last = Math.floor((range.to - 1) / pageSize);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** A list in which one row is unfolded: which row lies at a height, and at which height a row lies. */
export interface Unfolded {
  /** The row under which the panel hangs; -1 for none. */
  row: number;
  /** The panel's height. */
  height: number;
}

/** The rows that are seen, when one of them may be unfolded. */
export function unfoldedRange(
  scrollTop: number,
  height: number,
  rowHeight: number,
  count: number,
  unfolded: Unfolded,
  around = 6,
): Range {
  if (unfolded.row < 0) return visibleRange(scrollTop, height, rowHeight, count, around);
  const panelTop = (unfolded.row + 1) * rowHeight;
  const fold = (y: number) => (y <= panelTop ? y : Math.max(panelTop, y - unfolded.height));
  const top = fold(scrollTop);
  return visibleRange(top, fold(scrollTop + height) - top, rowHeight, count, around);
}

/** The height at which a row begins. */
export function rowTop(row: number, rowHeight: number, unfolded: Unfolded): number {
  const below = unfolded.row >= 0 && row > unfolded.row;
  return row * rowHeight + (below ? unfolded.height : 0);
}
