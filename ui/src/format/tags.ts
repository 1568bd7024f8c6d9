/** The number of a device's tags that fit. */

/** A letter in a tag, what is around it, between two, and a `+12` after them: pixels. */
const LETTER = 6.2;
const AROUND = 13;
const GAP = 4;
const MORE = 30;

/** The first tags that fit, the first one in any case, and how many are left. */
export function fitTags(tags: readonly string[], width: number): { shown: readonly string[]; more: number } {
  let taken = 0;
  let fits = 0;
  for (const [place, tag] of tags.entries()) {
    taken += AROUND + tag.length * LETTER + (place > 0 ? GAP : 0);
    const rest = place < tags.length - 1 ? GAP + MORE : 0;
    if (taken + rest > width && place > 0) break;
    fits = place + 1;
    if (taken + rest > width) break;
  }
  return { shown: tags.slice(0, fits), more: tags.length - fits };
}
