/** The columns of a table that fit. */

export interface Column {
  /** The minimum width, in pixels. */
  least: number;
  /** It takes only so much of what is left over, in pixels. */
  most?: number;
  /** How many parts of what is left over it takes; as wide as it must be where there are none. */
  grows?: number;
  /** If there is too little room, the column with the smallest rank is hidden first. A column without a rank stays. */
  rank?: number;
}

/** The padding of a row, and the gap between two columns. */
const SIDES = 32;
const GAP = 10;
/** A letter of a device's id, in pixels. */
const LETTER = 7.2;
/** For an id of so many letters another column goes. */
const WORTH = 22;
/** A longer one is cut even where others leave room. */
const LONGEST = 40;

export interface Fit<C> {
  shown: C[];
  /** For `grid-template-columns`. */
  template: string;
  /** How many letters of an id are seen. */
  letters: number;
}

/**
 * The columns for which a table of some width has room. The first has the id, of which the longest has so many letters.
 * Before anything was measured all of them are there.
 */
export function fit<C extends Column>(columns: C[], width: number, longest: number): Fit<C> {
  const wide = (letters: number) => Math.ceil(letters * LETTER);
  const first = Math.max(columns[0]?.least ?? 0, wide(Math.min(longest, WORTH)));
  const others = (shown: C[]) => shown.slice(1).reduce((sum, { least }) => sum + least + GAP, SIDES);
  let shown = columns;
  while (width > 0 && others(shown) + first > width) {
    const next = leastOf(shown);
    if (next === null) break;
    shown = shown.filter((column) => column !== next);
  }
  const room = width > 0 ? Math.max(0, width - others(shown)) : Number.POSITIVE_INFINITY;
  const id = Math.min(room, Math.max(first, wide(Math.min(longest, LONGEST))));
  const template = shown.map((column, i) => sizeOf(i === 0 ? { ...column, least: id } : column)).join(' ');
  return { shown, template, letters: wide(longest) > id ? Math.floor(id / LETTER) : longest };
}

function leastOf<C extends Column>(columns: C[]): C | null {
  let least: C | null = null;
  for (const column of columns)
    if (column.rank !== undefined && column.rank < (least?.rank ?? Number.POSITIVE_INFINITY)) least = column;
  return least;
}

function sizeOf({ least, most, grows }: Column): string {
  if (most !== undefined) return `minmax(${least}px, ${most}px)`;
  return grows === undefined ? `${least}px` : `minmax(${least}px, ${grows}fr)`;
}
