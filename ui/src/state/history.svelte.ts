import { createContext } from 'svelte';
import { SvelteSet } from 'svelte/reactivity';

import type { Backend } from '../backend/backend';
import type { Batch } from '../backend/bindings/Batch';
import type { CommandView } from '../backend/bindings/CommandView';
import type { ExportFormat } from '../backend/bindings/ExportFormat';
import type { ExportView } from '../backend/bindings/ExportView';
import type { FileToWrite } from '../backend/bindings/FileToWrite';
import type { Failure } from '../backend/bindings/Failure';
import type { HistoryCause } from '../backend/bindings/HistoryCause';
import type { HistoryCauses } from '../backend/bindings/HistoryCauses';
import type { HistoryQuery } from '../backend/bindings/HistoryQuery';
import { wordOf } from '../format/states';
import { engineTime } from './clock.svelte';
import { HistoryExport } from './export.svelte';
import { failureOf } from './failure';
import { keyOf, newer } from './feed';
import { FILTERS, NEEDS_ATTENTION_NOW, type Filter } from './historyFilters';
import type { Route } from './route.svelte';
import type { Sending } from './sending.svelte';
import { Throttle } from './throttle';
import { UnfoldedCommand } from './unfoldedCommand.svelte';

const PAGE = 100;
/** Causes that are listed at most. */
const CAUSES = 200;
/** How long the engine counts a command that ended badly as needing attention, milliseconds after its end. */
const NEEDS_ATTENTION_FOR = 3_600_000;

/** Every command there ever was, newest first, a page at a time. */
export class History {
  filter = $state.raw<Filter>(FILTERS[0] as Filter);
  device = $state('');
  /** The text of the search field. */
  search = $state('');
  /** Causes are listed instead of commands. */
  byCause = $state(false);
  causes = $state.raw<HistoryCauses | null>(null);
  rows = $state.raw<CommandView[]>([]);
  total = $state(0);
  matching = $state<number | null>(null);
  loading = false;
  loaded = $state(false);
  failure = $state.raw<Failure | null>(null);
  /** More has changed than the feed named: only loading the list again shows it. */
  behind = $state(false);
  hasMore = $state(false);
  dismissFailure = $state.raw<Failure | null>(null);
  /** Counts up when the list is to go back to its top. */
  toTop = $state(0);
  /** The row with the keyboard focus. */
  active = $state(0);
  /** The list is scrolled to the newest rows. */
  atTop = $state(true);
  readonly export: HistoryExport;
  readonly unfolded: UnfoldedCommand;

  /** New commands, by their keys, that are not shown yet because the list is scrolled. */
  readonly #waiting = new SvelteSet<string>();
  #connection: string | null = null;
  /** The list was read with the current filter. */
  #filtered = false;
  #next: string | null = null;
  /** The last command of the last page that was read, where there are more. */
  #oldest: CommandView | null = null;
  #generation = 0;
  /** Changes that arrived while a page was loading, which may lack them. */
  #meanwhile: CommandView[] = [];
  #begun: Promise<void> = Promise.resolve();
  readonly #reload = new Throttle(500, () => this.#readAgain());
  readonly #searched = new Throttle(150, () => this.#begin());

  constructor(
    readonly backend: Backend,
    readonly sending: Sending,
    readonly route: Route,
  ) {
    this.export = new HistoryExport(backend);
    this.unfolded = new UnfoldedCommand(backend, sending, (read) => this.#update(read));
  }

  show(connection: string | null): void {
    if (connection !== this.#connection || !(this.loaded || this.loading)) {
      // Of another connection a device would mean something else.
      if (this.#connection !== null && connection !== this.#connection) this.device = '';
      this.#connection = connection;
      this.#begin();
      return;
    }
    // The list is drawn again, from its top.
    this.atTop = true;
    if (this.loading || this.unfolded.key !== null) return;
    this.behind = true;
    this.#reload.ask();
  }

  /** New rows would not move rows that the user reads. */
  get follows(): boolean {
    return this.atTop && this.unfolded.key === null;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** There are newer commands than those shown, because the list is scrolled. */
  get hasNewer(): boolean {
    return !this.follows && (this.behind || this.waiting > 0);
  }

  /** Goes back to how it was filtered, without reading it yet. */
  restore(connection: string, filter: Filter, device: string): void {
    this.#connection = connection;
    this.filter = filter;
    this.device = device;
  }

  filterBy(filter: Filter, device = this.device): void {
    this.filter = filter;
    this.device = device;
    this.#begin();
  }

  /** Lists what a link leads to, whatever was searched for before. */
  list(filter: Filter, device = ''): void {
    this.search = '';
    this.groupByCause(false);
    this.filterBy(filter, device);
  }

  /** Searches while the user types. */
  searchFor(text: string): void {
    if (text === this.search) return;
    this.search = text;
    this.#searched.ask();
  }

  /** Counts failed commands by their causes, or lists commands again. */
  groupByCause(on: boolean): void {
    this.byCause = on;
    if (on) void this.#loadCauses();
    else this.causes = null;
  }

  /** Lists the commands of a cause. */
  showCause({ state, search }: HistoryCause): void {
    this.groupByCause(false);
    this.search = search;
    const { needsAttention, automatic } = this.filter;
    const usual = FILTERS.find(({ states }) => states.length === 1 && states[0] === state);
    if (usual && !needsAttention && !automatic) return this.filterBy(usual);
    const name = `${wordOf(state)}${needsAttention ? ', last hour' : automatic ? ', automatic' : ''}`;
    this.filterBy({ ...this.filter, name, states: [state] });
  }

  get isFiltered(): boolean {
    return this.filter !== FILTERS[0] || this.device !== '' || this.search !== '';
  }

  /** Lists every command again. */
  clear(): void {
    this.list(FILTERS[0] as Filter);
  }

  /** Opens the screen with the commands that the status bar counts as needing attention. */
  showNeedsAttention(): void {
    this.list(NEEDS_ATTENTION_NOW);
    this.route.go('history');
  }

  /** Opens the screen with a command unfolded. */
  async reveal(command: CommandView): Promise<void> {
    this.#connection = command.connection;
    this.list(FILTERS.find(({ automatic }) => (automatic ?? false) === command.automatic) as Filter, command.device);
    this.route.go('history');
    await this.#begun;
    const place = this.rows.findIndex((row) => keyOf(row) === keyOf(command));
    if (place < 0) return;
    this.active = place;
    this.unfold(this.rows[place] ?? null);
  }

  /** Asks for the next page, where there is one. */
  more(): void {
    if (!this.loading && this.#next !== null) void this.#load(false);
  }

  /** Goes back to the newest. */
  showNewest(): void {
    this.atTop = true;
    this.active = 0;
    this.toTop += 1;
    this.unfold(null);
  }

  /** Takes in what has waited. */
  catchUp(): void {
    this.#takeIn([]);
    if (this.waiting > 0) this.behind = true;
    if (this.behind) this.#reload.ask();
  }

  /** Unfolds a command, or folds the unfolded one. */
  unfold(command: CommandView | null): void {
    this.unfolded.open(command);
    if (command === null && this.atTop) this.catchUp();
  }

  /** Dismisses a failed command, or all of them. They stay under the other filters. */
  async dismiss(command: CommandView | null): Promise<void> {
    if (this.#connection === null) return;
    this.dismissFailure = null;
    try {
      const one = command === null ? null : { device: command.device, id: command.id };
      await this.backend.dismiss(command?.connection ?? this.#connection, one);
      if (this.filter.needsAttention) this.#begin();
    } catch (reason) {
      this.dismissFailure = failureOf(reason);
    }
  }

  /** Writes all that the filter lets through to a file. */
  exportTo(to: FileToWrite, format: ExportFormat): Promise<ExportView | null> {
    return this.export.start(this.#query(null), to, format);
  }

  take(batch: Batch): void {
    // The screen has not been opened yet.
    if (this.#generation === 0) return;
    // Only the engine knows which commands match a search.
    if (batch.more_commands || (this.search !== '' && batch.commands.length > 0)) this.behind = true;
    if (this.behind) this.#reload.ask();
    this.unfolded.take(batch);
    this.total = batch.connections?.find(({ id }) => id === this.#connection)?.counts.kept ?? this.total;
    if (this.loading) this.#meanwhile.push(...batch.commands);
    if (batch.commands.length > 0) this.#takeIn(batch.commands);
  }

  /** Commands that begin to fit are taken in at their place, and those that no longer do go. */
  #takeIn(commands: CommandView[]): void {
    if (!this.#filtered) return;
    const changed = new Map(commands.map((command) => [keyOf(command), command]));
    const rows = this.rows.map((row) => {
      const change = changed.get(keyOf(row));
      if (!change) return row;
      changed.delete(keyOf(row));
      return newer(row, change);
    });
    // Older rows are loaded with their own page.
    const oldest = this.#oldest;
    const within = [...changed.values()].filter((command) => oldest === null || byAge(command, oldest) < 0);
    const fitting = this.search === '' ? within.filter((command) => this.#admits(command)) : [];
    if (this.follows) {
      this.#put([...rows, ...fitting].filter((row) => this.#admits(row)).sort(byAge));
      return;
    }
    for (const command of within) this.#waiting.delete(keyOf(command));
    for (const command of fitting) this.#waiting.add(keyOf(command));
    this.#put(rows);
  }

  /** Shows these rows instead. The keyboard stays on its command. */
  #put(rows: CommandView[]): void {
    if (rows.length === this.rows.length && rows.every((row, i) => row === this.rows[i])) return;
    const stood = this.rows[this.active];
    if (this.matching !== null) this.matching += rows.length - this.rows.length;
    this.rows = rows;
    if (this.active === 0 || stood === undefined) return;
    const place = rows.findIndex((row) => keyOf(row) === keyOf(stood));
    this.active = place >= 0 ? place : Math.max(0, Math.min(this.active, rows.length - 1));
  }

  #admits(command: CommandView): boolean {
    const { device } = this;
    return (
      (this.#connection === null || command.connection === this.#connection) &&
      (device === '' || command.device === device) &&
      command.automatic === (this.filter.automatic ?? false) &&
      (!this.filter.needsAttention ||
        engineTime.now - (command.finished_at ?? command.changed_at) <= NEEDS_ATTENTION_FOR) &&
      (this.filter.states.length === 0 || this.filter.states.includes(command.state))
    );
  }

  #query(cursor: string | null): HistoryQuery {
    const { device } = this;
    return {
      connection: this.#connection,
      device: device === '' ? null : device,
      states: this.filter.states,
      since: null,
      search: this.search,
      automatic: this.filter.automatic ?? false,
      needs_attention: this.filter.needsAttention ?? false,
      cursor,
      limit: PAGE,
    };
  }

  #begin(): void {
    this.#filtered = false;
    this.active = 0;
    this.atTop = true;
    this.toTop += 1;
    this.#begun = this.#load(true);
    if (this.byCause) void this.#loadCauses();
    this.unfold(null);
  }

  #readAgain(): void {
    // A list that could not be loaded is not scrolled.
    if (!this.behind || (!this.follows && this.failure === null)) return;
    // What is in progress is waited for: where much happens, no answer would ever be to the last question.
    if (this.loading) this.#reload.ask();
    else {
      void this.#load(true);
      if (this.byCause) void this.#loadCauses();
    }
  }

  async #loadCauses(): Promise<void> {
    const generation = this.#generation;
    try {
      const causes = await this.backend.historyCauses({ ...this.#query(null), limit: CAUSES });
      if (generation === this.#generation && this.byCause) this.causes = causes;
    } catch (reason) {
      if (generation === this.#generation) this.failure = failureOf(reason);
    }
  }

  async #load(anew: boolean): Promise<void> {
    if (anew) {
      this.#generation += 1;
      this.behind = false;
      this.#waiting.clear();
    }
    const generation = this.#generation;
    this.loading = true;
    this.#meanwhile = [];
    try {
      const page = await this.backend.history(this.#query(anew ? null : this.#next));
      if (generation !== this.#generation) return;
      this.#put(anew ? page.commands : append(this.rows, page.commands));
      this.#next = page.next;
      this.#oldest = page.next === null ? null : (page.commands.at(-1) ?? null);
      this.hasMore = page.next !== null;
      this.total = page.total;
      this.matching = page.matching;
      this.failure = null;
      this.loaded = true;
      this.#filtered = true;
      this.#takeIn(this.#meanwhile);
    } catch (reason) {
      if (generation !== this.#generation) return;
      this.failure = failureOf(reason);
      this.behind = true;
    } finally {
      if (generation === this.#generation) this.loading = false;
    }
  }

  /** Shows a newer state of a command, for which the feed may have had no room. */
  #update(read: CommandView): void {
    this.rows = this.rows.map((row) => (keyOf(row) === keyOf(read) ? newer(row, read) : row));
  }
}

export const [getHistory, setHistory] = createContext<History>();

/** Newest first, in the order of the engine's pages: within a millisecond, ids grow. */
function byAge(one: CommandView, other: CommandView): number {
  if (one.queued_at !== other.queued_at) return other.queued_at - one.queued_at;
  return one.id < other.id ? 1 : one.id > other.id ? -1 : 0;
}

function append(rows: CommandView[], more: CommandView[]): CommandView[] {
  const known = new Set(rows.map(keyOf));
  return [...rows, ...more.filter((command) => !known.has(keyOf(command)))].sort(byAge);
}
