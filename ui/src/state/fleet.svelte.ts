import type { Backend } from '../backend/backend';
import type { Batch } from '../backend/bindings/Batch';
import type { CommandView } from '../backend/bindings/CommandView';
import type { DeviceQuery } from '../backend/bindings/DeviceQuery';
import type { DeviceRow } from '../backend/bindings/DeviceRow';
import type { Failure } from '../backend/bindings/Failure';
import type { SortBy } from '../backend/bindings/SortBy';
import { line, type Search } from '../words/search';
import { pagesOf, type Range } from '../words/window';
import { failureOf } from './failure';
import { keyOf, newer } from './feed';
import { Throttle } from './throttle';

const PAGE = 100;
/** Four times a second is as often as a table can be read. */
const REFRESH_PAUSE = 250;

/** The list of devices: the engine sorts and filters, the pages that are looked at are here. */
export class Fleet {
  search = $state.raw<Search>({ tokens: [], text: '' });
  sort = $state.raw<Pick<DeviceQuery, 'sort' | 'order'>>({ sort: 'device', order: 'ascending' });
  matching = $state(0);
  total = $state(0);
  loaded = $state(false);
  failure = $state.raw<Failure | null>(null);
  /** Another list was asked for: what is shown is still the one before. */
  reloading = $state(false);
  /** The row that the keyboard stands on. */
  active = $state(0);
  /** Counts up when the list is to go back to its top. */
  toTop = $state(0);
  pages = $state.raw(new Map<number, DeviceRow[]>());

  #connection: string | null = null;
  #range: Range = { from: 0, to: 50 };
  #fresh = new Set<number>();
  #generation = 0;
  /** Counts the questions; answers may overtake each other, and an earlier one must not undo what a later one has said. */
  #asked = 0;
  #answered = 0;
  /** The last question that a page was in. */
  readonly #askedFor = new Map<number, number>();
  readonly #refresh = new Throttle(REFRESH_PAUSE, () => void this.#load());

  constructor(readonly backend: Backend) {}

  row(index: number): DeviceRow | undefined {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** The place of a device, where it is among the loaded rows. */
  indexOf(device: string): number {
    for (const [page, rows] of this.pages) {
      const place = rows.findIndex((row) => row.device === device);
      if (place >= 0) return page * PAGE + place;
    }
    return -1;
  }

  /** Which connection's devices are listed. */
  open(connection: string): void {
    if (connection === this.#connection) return;
    this.#connection = connection;
    this.search = { tokens: [], text: '' };
    this.#begin(true);
  }

  find(search: Search): void {
    const changed = line(search) !== line(this.search);
    this.search = search;
    if (changed) this.#begin();
  }

  sortBy(column: SortBy): void {
    const turned = this.sort.sort === column && this.sort.order === 'ascending';
    this.sort = { sort: column, order: turned ? 'descending' : 'ascending' };
    this.#begin();
  }

  /** The rows that are drawn now. */
  show(range: Range): void {
    // Of an empty list nothing is drawn, and yet somebody must ask whether it still is.
    this.#range = { from: range.from, to: Math.max(range.to, range.from + 1) };
    if (pagesOf(this.#range, PAGE).some((page) => !this.#fresh.has(page))) void this.#load();
  }

  take(batch: Batch): void {
    this.#patch(batch);
    if (this.#connection !== null && batch.devices.includes(this.#connection)) this.refresh();
  }

  refresh(): void {
    this.#fresh.clear();
    this.#refresh.ask();
  }

  /** Last commands are shown at once; the rest of a row follows when it is asked for again. */
  #patch(batch: Batch): void {
    const last = new Map<string, CommandView>();
    for (const command of batch.commands) {
      if (command.connection !== this.#connection) continue;
      const other = last.get(command.device);
      if (!other || command.queued_at >= other.queued_at) last.set(command.device, command);
    }
    if (last.size === 0) return;
    let pages: Map<number, DeviceRow[]> | null = null;
    for (const [page, rows] of this.pages) {
      if (!rows.some((row) => last.has(row.device))) continue;
      pages ??= new Map(this.pages);
      pages.set(
        page,
        rows.map((row) => withCommand(row, last.get(row.device))),
      );
    }
    if (pages) this.pages = pages;
  }

  #begin(empty = false): void {
    this.#generation += 1;
    this.#fresh.clear();
    this.active = 0;
    this.toTop += 1;
    this.reloading = true;
    this.#range = { from: 0, to: Math.max(50, this.#range.to - this.#range.from) };
    if (empty) {
      this.pages = new Map();
      this.loaded = false;
      this.matching = 0;
      this.total = 0;
    }
    void this.#load();
  }

  async #load(): Promise<void> {
    const connection = this.#connection;
    if (connection === null) return;
    const generation = this.#generation;
    const wanted = pagesOf(this.#range, PAGE).filter((page) => !this.#fresh.has(page));
    const first = wanted[0];
    const last = wanted.at(-1);
    if (first === undefined || last === undefined) return;
    wanted.forEach((page) => this.#fresh.add(page));
    const question = ++this.#asked;
    for (let i = first; i <= last; i++) this.#askedFor.set(i, question);
    try {
      const query = { connection, search: line(this.search), ...this.sort };
      const page = await this.backend.devices(query, first * PAGE, (last - first + 1) * PAGE);
      if (generation !== this.#generation) return;
      // Nothing of another list stays, whichever question about this one is answered first.
      const pages = new Map(this.reloading ? [] : this.pages);
      this.reloading = false;
      for (let i = first; i <= last; i++) {
        if (this.#askedFor.get(i) !== question) continue;
        pages.set(i, page.rows.slice((i - first) * PAGE, (i - first + 1) * PAGE));
      }
      this.pages = pages;
      if (question < this.#answered) return;
      this.#answered = question;
      this.matching = page.matching;
      this.total = page.total;
      this.failure = null;
      this.loaded = true;
      if (this.active >= page.matching) this.active = Math.max(0, page.matching - 1);
    } catch (reason) {
      if (generation !== this.#generation) return;
      wanted.forEach((page) => this.#fresh.delete(page));
      this.reloading = false;
      this.failure = failureOf(reason);
    }
  }
}

function withCommand(row: DeviceRow, command: CommandView | undefined): DeviceRow {
  const last = row.last_command;
  if (!command || (last && last.queued_at > command.queued_at)) return row;
  const current = last && keyOf(last) === keyOf(command) ? newer(last, command) : command;
  return { ...row, last_command: current };
}
