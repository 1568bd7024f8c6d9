/** How well a text matches the input. */

export interface Match {
  /** The greater the better. */
  score: number;
  /** The places of the letters that were found. */
  at: Set<number>;
}

const WORD_START = 3;
const INSIDE = 2;
const SCATTERED = 1;

/** Every word of what was typed is in the text: at the start of a word, inside one, or letter by letter. */
export function fuzzy(typed: string, text: string): Match | null {
  const at = new Set<number>();
  let score = 0;
  const lower = text.toLowerCase();
  for (const word of typed.toLowerCase().split(/\s+/).filter(Boolean)) {
    const found = find(word, lower);
    if (found === null) return null;
    score += found.score - (found.places[0] ?? 0) / 1_000;
    for (const place of found.places) at.add(place);
  }
  return { score, at };
}

/** A text in runs of letters that were found and that were not. */
export function runs(text: string, at: Set<number>): { text: string; found: boolean }[] {
  const out: { text: string; found: boolean }[] = [];
  for (let i = 0; i < text.length; i++) {
    const found = at.has(i);
    const last = out.at(-1);
    if (last?.found === found) last.text += text[i];
    else out.push({ text: text[i] as string, found });
  }
  return out;
}

function find(word: string, text: string): { score: number; places: number[] } | null {
  const run = (from: number) => Array.from(word, (_, i) => from + i);
  const inside = text.indexOf(word);
  if (inside >= 0) {
    for (let from = inside; from >= 0; from = text.indexOf(word, from + 1)) {
      if (isStart(text, from)) return { score: WORD_START, places: run(from) };
    }
    return { score: INSIDE, places: run(inside) };
  }
  const places: number[] = [];
  for (const letter of word) {
    const after = (places.at(-1) ?? -1) + 1;
    // A letter that begins a word is the one that was meant.
    let place = text.indexOf(letter, after);
    if (place < 0) return null;
    for (let other = place; other >= 0; other = text.indexOf(letter, other + 1)) {
      if (!isStart(text, other)) continue;
      place = other;
      break;
    }
    places.push(place);
  }
  // Letters that are nowhere together were not meant.
  const starts = places.filter((place, i) => isStart(text, place) || place === (places[i - 1] ?? -2) + 1).length;
  return starts * 2 > places.length ? { score: SCATTERED * (starts / places.length), places } : null;
}

function isStart(text: string, place: number): boolean {
  return place === 0 || !/[\p{L}\p{N}]/u.test(text[place - 1] as string);
}
