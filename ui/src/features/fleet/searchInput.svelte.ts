/** The text in the search field. The engine parses it, and returns completions and errors. */

import type { SearchCompletion } from '../../backend/bindings/SearchCompletion';
import type { SearchReading } from '../../backend/bindings/SearchReading';
import { before, take } from '../../format/search';
import type { Fleet } from '../../state/fleet.svelte';

export class SearchInput {
  text = $state('');
  reading = $state.raw<SearchReading | null>(null);
  /** The index of the selected completion; -1 for none. */
  active = $state(-1);
  /** Completions are shown. */
  open = $state(false);
  /** The error is shown: typing has paused or moved on. */
  said = $state(false);
  #questions = 0;

  readonly completions: readonly SearchCompletion[] = $derived(this.open ? (this.reading?.completions ?? []) : []);
  /** The error, with its position in the typed text. */
  readonly wrong = $derived.by(() => {
    const error = this.reading?.error ?? null;
    if (error === null) return null;
    const start = before(this.fleet.search).length;
    const from = Math.max(0, error.from - start);
    return { ...error, from, to: Math.max(from + 1, error.to - start) };
  });

  constructor(
    readonly fleet: Fleet,
    readonly connection: () => string | null,
  ) {}

  /** The search was changed elsewhere: pending answers are for the old one. */
  follow(text: string): void {
    if (text === this.text) return;
    this.#questions += 1;
    this.text = text;
    this.close();
    this.reading = null;
    this.said = false;
  }

  /** Takes the typed text with the caret, and searches for it if it is valid. */
  async type(text: string, caret: number): Promise<void> {
    this.text = text;
    this.said = false;
    if (!(await this.#read(caret, false))) return;
    this.active = -1;
    // Nothing is typed yet, so no completions are shown.
    this.open = /\S/.test(text.slice(0, caret)) && !text.slice(0, caret).endsWith(' ');
    const error = this.wrong;
    this.said = error !== null && this.completions.length === 0 && (error.to < caret || text.endsWith(' '));
  }

  /** Shows completions at the caret. */
  async offer(caret: number): Promise<void> {
    if (!(await this.#read(caret, false))) return;
    this.open = true;
    this.active = -1;
  }

  /** Typing is finished: conditions become tokens, and an error is shown. */
  async finish(): Promise<void> {
    this.close();
    if (!(await this.#read(this.text.length, true))) return;
    this.said = (this.reading?.error ?? null) !== null;
  }

  /** Inserts a completion. Returns the position of the caret. */
  async accept({ from, to, text, open }: SearchCompletion): Promise<number> {
    const start = before(this.fleet.search).length;
    const typed = this.text.slice(0, from - start) + text + (open ? '' : ' ');
    const rest = this.text.slice(to - start).trimStart();
    await this.type(typed + rest, typed.length);
    // A complete condition has become a token.
    return Math.min(typed.length, this.text.length);
  }

  /** Selects the next completion, or the previous one. */
  point(by: 1 | -1): void {
    const count = this.completions.length;
    this.active = this.active === -1 && by === -1 ? count - 1 : (this.active + by + count) % count;
  }

  close(): void {
    this.open = false;
    this.active = -1;
  }

  /** Reads the text and searches for it. Returns false where the answer came too late to be used. */
  async #read(caret: number, all: boolean): Promise<boolean> {
    const connection = this.connection();
    if (connection === null) return false;
    const question = ++this.#questions;
    const search = { tokens: this.fleet.search.tokens, text: this.text };
    const start = before(search).length;
    const reading = await this.fleet.backend.readSearch(connection, before(search) + search.text, start + caret);
    const { tokens } = this.fleet.search;
    if (question !== this.#questions || tokens !== search.tokens || connection !== this.connection()) return false;
    this.reading = reading;
    if (reading.error !== null) return true;
    const taken = take(search, reading, all);
    this.text = taken.text;
    this.fleet.find(taken);
    return true;
  }
}
