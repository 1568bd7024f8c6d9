/** Text from devices is data: invisible characters are shown as escapes. */

// Controls, line and paragraph separators, lone surrogates, and what Unicode does not draw by itself (zero-width and
// bidirectional marks, fillers, tags). Variation selectors, which choose how the letter before them is drawn, stay.
const UNSEEN = /(?!\p{VS})[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{DI}\ufff9-\ufffb]/gu;

const SHORT: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };

/** One line of text with everything unseen made visible. */
export function visible(text: string): string {
  return text.replace(UNSEEN, escape);
}

// Spaces that are no plain space, variation selectors, marks above, below and around any letter (the accent of an é of two
// characters), and the signs by which all this is written.
const CONFUSABLE =
  /(?! )\s|\p{VS}|[\u0300-\u036f]|[\u1ab0-\u1aff]|[\u1dc0-\u1dff]|[\u20d0-\u20ff]|[\ufe20-\ufe2f]|[␣\\]/u;

/** So many letters of a name are looked at together: no letter is made of more. */
const COMPOSED = 32;

/**
 * A name with all of it visible, so that no two that differ in what Unicode calls equivalent look the same: besides what
 * `visible` escapes, spaces that nobody counts, marks, and what Unicode's composed form (NFC) writes otherwise. The command
 * line writes names alike (`visible_name`), and both are tested with `names.json`.
 */
export function visibleName(name: string): string {
  if (/^[!-[\]-~]*$/.test(name)) return name;
  const composed = isComposed(name);
  const spaced = /^ | $| {2}/.test(name);
  let shown = '';
  let before: string[] = [];
  for (const letter of name) {
    before.push(letter);
    if (letter.search(UNSEEN) === 0 || CONFUSABLE.test(letter) || (!composed && !isComposed(before.join('')))) {
      shown += escape(letter);
      before = [];
    } else {
      shown += spaced && letter === ' ' ? '␣' : letter;
    }
    if (before.length > COMPOSED) before.shift();
  }
  return shown;
}

function isComposed(text: string): boolean {
  return text.normalize('NFC') === text;
}

/** Many lines of text: line ends stay, everything else unseen is made visible. */
export function visibleLines(text: string): string {
  return text.replace(UNSEEN, (c) => (c === '\n' ? c : escape(c)));
}

/** One line of text, cut where it is long. */
export function brief(text: string): string {
  const line = visible(text);
  return line.length > 240 ? `${line.slice(0, 240)}…` : line;
}

/** One line of at most this many letters, cut in the middle: IDs mostly differ at their ends. */
export function middle(line: string, letters: number): string {
  if (line.length <= letters) return line;
  const end = Math.floor((letters - 1) / 2);
  return `${line.slice(0, Math.max(0, letters - 1 - end))}…${end > 0 ? line.slice(-end) : ''}`;
}

/** One line of at most this many letters, cut at its beginning: of random IDs any part tells as much as another. */
export function ending(line: string, letters: number): string {
  return line.length <= letters ? line : `…${line.slice(1 - letters)}`;
}

/** A device's own words as a sentence of ours. Where it has ended them itself, that is the end. */
export function quoted(message: string): string {
  const words = brief(message);
  return `It said “${words}”${/[.!?…]$/.test(words) ? '' : '.'}`;
}

function escape(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return SHORT[character] ?? (code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`);
}
