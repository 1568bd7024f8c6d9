/** The names of keys. */

const NAMES: Record<string, string> = { mod: 'Ctrl', alt: 'Alt', shift: 'Shift' };
const ON_A_MAC: Record<string, string> = { mod: '⌘', alt: '⌥', shift: '⇧' };

/** `mod+k` as `Ctrl K` (`⌘ K` on a Mac), `g f` as `G F`: one name for each key. */
export function keyNames(keys: string, mac = isMac()): string[] {
  const names = mac ? ON_A_MAC : NAMES;
  // A plus at the end is a key itself.
  return keys.split(/ |(?!^)\+(?!$)/).map((key) => names[key] ?? (key.length === 1 ? key.toUpperCase() : key));
}

/** The same in a sentence: `G then F`. */
export function keyText(keys: string, mac = isMac()): string {
  return keyNames(keys, mac).join(keys.includes(' ') ? ' then ' : mac ? '' : '+');
}

function isMac(): boolean {
  return /mac|iphone|ipad/i.test(navigator.userAgent);
}
