/** Keys that do something wherever one is, but for where one types. */

/** How long the second key of two may be in coming. */
const PATIENCE = 1_200;

/** What a key is called where another key or Shift makes it: + and − lie elsewhere on every keyboard. */
const ALIKE: Record<string, string> = { '=': '+', '+': '+', _: '-', '-': '-' };

export class Shortcuts {
  #begun: { key: string; at: number } | null = null;

  constructor(
    /** Does what keys such as `l` or `g f` stand for; whether there was anything to be done. */
    readonly run: (keys: string) => boolean,
    /** Whether a key is the first of two. */
    readonly begins: (key: string) => boolean,
  ) {}

  onkeydown(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing) return;
    const key = event.key.length === 1 && !event.shiftKey ? event.key.toLowerCase() : event.key;
    const begun = this.#begun;
    if (key !== 'Shift') this.#begun = null;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && (!event.shiftKey || key in ALIKE)) {
      if (!event.repeat && this.run(`mod+${ALIKE[key] ?? key}`)) event.preventDefault();
      return;
    }
    // A key that is held down would ask a device for something thirty times a second.
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTaken(event.target)) return;
    const follows = begun !== null && Date.now() - begun.at < PATIENCE;
    if ((follows && this.run(`${begun.key} ${key}`)) || this.run(key)) event.preventDefault();
    else if (this.begins(key)) this.#begun = { key, at: Date.now() };
  }
}

/** Somebody types, or answers a question. */
function isTaken(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest('[role="dialog"], dialog')) return true;
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'button', 'submit'].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
