/** Keys that work everywhere except in text fields. */

import type { Connections } from './connections.svelte';
import type { Route } from './route.svelte';
import type { Selection } from './selection.svelte';

/** How long the second key of two may be in coming. */
const SECOND_KEY_WITHIN_MS = 1_200;

/** The name of a key that needs Shift on some keyboards: the places of + and − differ. */
const ALIKE: Record<string, string> = { '=': '+', '+': '+', _: '-', '-': '-' };

export class Shortcuts {
  #begun: { key: string; at: number } | null = null;

  constructor(
    /** Runs the action of keys such as `l` or `g f`; returns whether there was one. */
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
      // In a field, undo belongs to the field.
      if (key === 'z' && isTaken(event.target)) return;
      if (!event.repeat && this.run(`mod+${ALIKE[key] ?? key}`)) event.preventDefault();
      return;
    }
    // A key that is held down would send thirty commands a second.
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTaken(event.target)) return;
    const follows = begun !== null && Date.now() - begun.at < SECOND_KEY_WITHIN_MS;
    if ((follows && this.run(`${begun.key} ${key}`)) || this.run(key)) event.preventDefault();
    else if (this.begins(key)) this.#begun = { key, at: Date.now() };
  }
}

interface Selectable {
  connections: Connections;
  route: Route;
  selection: Selection;
}

/** Ctrl+A selects what the list of devices holds, and never the text of the page. */
export function selectAll(event: KeyboardEvent, { connections, route, selection }: Selectable): void {
  if (event.defaultPrevented || event.key.toLowerCase() !== 'a' || !(event.ctrlKey || event.metaKey)) return;
  const { target } = event;
  if (!(target instanceof HTMLElement) || target.isContentEditable) return;
  if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) return;
  event.preventDefault();
  const connection = connections.current?.id;
  if (route.screen === 'fleet' && connection !== undefined && !isTaken(target)) selection.all(connection);
}

/** The user types, or answers a question. */
function isTaken(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest('[role="dialog"], dialog')) return true;
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'button', 'submit'].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
