/** What is being typed into the search field: read by the engine, which completes it and says what is wrong with it. */

import type { Backend } from '../backend/backend';
import type { SearchCompletion } from '../backend/bindings/SearchCompletion';
import type { SearchReading } from '../backend/bindings/SearchReading';
import type { Fleet } from './fleet.svelte';
import { before, take } from '../format/search';

export class SearchInput {
  text = $state('');
  reading = $state.raw<SearchReading | null>(null);
  /** The place of the completion that is pointed at; -1 where none is. */
  active = $state(-1);
  /** Completions are shown. */
  open = $state(false);
  /** The error is shown: typing has paused or moved on. */
  said = $state(false);
  #questions = 0;

  readonly completions: readonly SearchCompletion[] = $derived(this.open ? (this.reading?.completions ?? []) : []);
  /** Where in the typed text something is wrong. */
  readonly wrong = $derived.by(() => {
    const error = this.reading?.error ?? null;
    if (error === null) return null;
    const start = before(this.fleet.search).length;
    const from = Math.max(0, error.from - start);
    return { ...error, from, to: Math.max(from + 1, error.to - start) };
  });

  constructor(
    readonly backend: Backend,
    readonly fleet: Fleet,
    readonly connection: () => string | null,
  ) {}

  /** The search has been changed elsewhere: an answer that is still on its way is for the old one. */
  follow(text: string): void {
    if (text === this.text) return;
    this.#questions += 1;
    this.text = text;
    this.close();
    this.reading = null;
    this.said = false;
  }

  /** Takes what is typed, with the caret there. It is searched for as soon as it can be understood. */
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

  /** Shows what can stand at the caret. */
  async offer(caret: number): Promise<void> {
    if (!(await this.#read(caret, false))) return;
    this.open = true;
    this.active = -1;
  }

  /** What is typed is finished: conditions become tokens, and what is wrong is said. */
  async finish(): Promise<void> {
    this.close();
    if (!(await this.#read(this.text.length, true))) return;
    this.said = (this.reading?.error ?? null) !== null;
  }

  /** Puts a completion into the text. Answers with where the caret belongs. */
  async accept({ from, to, text, open }: SearchCompletion): Promise<number> {
    const start = before(this.fleet.search).length;
    const typed = this.text.slice(0, from - start) + text + (open ? '' : ' ');
    const rest = this.text.slice(to - start).trimStart();
    await this.type(typed + rest, typed.length);
    // A condition that is whole has become a token.
    return Math.min(typed.length, this.text.length);
  }

  /** Points at the next completion, or the one before. */
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
    const reading = await this.backend.readSearch(connection, before(search) + search.text, start + caret);
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
