/** Which rows of a long list are drawn, and where. All rows have the same height; one of them may be expanded. */

export interface Range {
  /** The first row. */
  from: number;
  /** One after the last. */
  to: number;
}

/** The row under which a panel hangs. */
export interface Unfolded {
  /** Which; -1 for none. */
  row: number;
  /** The panel's height, pixels. */
  height: number;
}

const NONE: Unfolded = { row: -1, height: 0 };

interface Around {
  /** So many rows are drawn before and after those that are seen. */
  around?: number;
  /** So many more in the direction of travel, which are above where it is negative. */
  ahead?: number;
  unfolded?: Unfolded;
}

/** The rows that are seen, and some before and after them. */
export function visibleRange(
  scrollTop: number,
  height: number,
  rowHeight: number,
  count: number,
  { around = 6, ahead = 0, unfolded = NONE }: Around = {},
): Range {
  if (count <= 0 || rowHeight <= 0) return { from: 0, to: 0 };
  const panelTop = unfolded.row < 0 ? Infinity : (unfolded.row + 1) * rowHeight;
  const folded = (y: number) => (y <= panelTop ? y : Math.max(panelTop, y - unfolded.height));
  const top = Math.max(0, scrollTop);
  const first = Math.floor(folded(top) / rowHeight) - around + Math.min(0, ahead);
  const last = Math.ceil(folded(top + Math.max(0, height)) / rowHeight) + around + Math.max(0, ahead);
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
export function placementOf(from: number, scrollTop: number, rowHeight: number, unfolded: Unfolded = NONE): Placement {
  const origin = rowTop(Math.floor(from / BLOCK) * BLOCK, rowHeight, unfolded);
  return { above: rowTop(from, rowHeight, unfolded) - origin, moved: origin - scrollTop };
}

/** Where to scroll so that a row is wholly seen; the same place where it is already. */
export function scrollTo(row: number, scrollTop: number, height: number, rowHeight: number): number {
  const top = row * rowHeight;
  if (top < scrollTop) return top;
  if (top + rowHeight > scrollTop + height) return Math.max(0, top + rowHeight - height);
  return scrollTop;
}

/** The height at which a row begins, pixels. */
export function rowTop(row: number, rowHeight: number, unfolded: Unfolded = NONE): number {
  const below = unfolded.row >= 0 && row > unfolded.row;
  return row * rowHeight + (below ? unfolded.height : 0);
}

/** The pages that hold a range. */
export function pagesOf(range: Range, pageSize: number): number[] {
  if (range.to <= range.from) return [];
  const first = Math.floor(range.from / pageSize);
  const last = Math.floor((range.to - 1) / pageSize);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
