/** Text of devices is data: what cannot be seen is shown as an escape. */

// C0 and C1 controls, DEL, soft hyphen, zero-width and bidirectional marks, the byte order mark, lone surrogates.
const UNSEEN =
  // eslint-disable-next-line no-control-regex -- these are the very characters to be found
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const SHORT: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One line of text with everything unseen made visible. */
export function visible(text: string): string {
  return text.replace(UNSEEN, escape);
}

// Spaces that are no plain space, and accents that follow their letter (an é of two characters).
const CONFUSABLE = /[\u0300-\u036f]|(?! )\s/g;

/** A name with all of it visible, so that no two that differ look the same. The command line writes names alike. */
export function visibleName(name: string): string {
  const shown = visible(name).replace(CONFUSABLE, escape);
  return /^ | $| {2}/.test(shown) ? shown.replaceAll(' ', '␣') : shown;
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

/** A device's own words as a sentence of ours. Where it has ended them itself, that is the end. */
export function itSaid(message: string): string {
  const words = brief(message);
  return `It said “${words}”${/[.!?…]$/.test(words) ? '' : '.'}`;
}

function escape(character: string): string {
  return SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
