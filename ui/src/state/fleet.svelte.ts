import { createContext } from 'svelte';

import type { Backend, TileColours } from '../backend/backend';
import type { Batch } from '../backend/bindings/Batch';
import type { CommandState } from '../backend/bindings/CommandState';
import type { DeviceColumns } from '../backend/bindings/DeviceColumns';
import type { DeviceGroup } from '../backend/bindings/DeviceGroup';
import type { DeviceQuery } from '../backend/bindings/DeviceQuery';
import type { DeviceRow } from '../backend/bindings/DeviceRow';
import type { DeviceStates } from '../backend/bindings/DeviceStates';
import type { Failure } from '../backend/bindings/Failure';
import type { FleetCounts } from '../backend/bindings/FleetCounts';
import type { GroupBy } from '../backend/bindings/GroupBy';
import type { Presence } from '../backend/bindings/Presence';
import type { SortBy } from '../backend/bindings/SortBy';
import type { ViewColumn } from '../backend/bindings/ViewColumn';
import { isSameSort } from '../format/gridColumns';
import { Lines, type Line } from '../format/lines';
import { line, NOTHING, take, withCondition, without, type Search } from '../format/search';
import { PRESENCES, stateOf } from '../format/states';
import type { Range } from '../format/window';
import { EMPTY, isAlike, patchAll, patchDevices, type DeviceList } from './deviceList';
import { DeviceRows } from './deviceRows.svelte';
import { failureOf } from './failure';
import { Throttle } from './throttle';

export type { TileColours };

/** Rows that are missing are loaded this far before and after the visible ones. */
const AROUND = 60;
/** Four times a second is as often as a table can be read. */
const ROWS_PAUSE = 250;
/** One command changes the row of its device several times within a moment. */
const ROWS_AT_ONCE = 3;
/** A list takes some time, and the feed reports changes meanwhile. */
const LIST_PAUSE = 1_000;
/** So many devices of a long list are read per millisecond of the pause: 100,000 every two seconds. */
const PER_MS = 50;

const NONE_FOLDED: ReadonlySet<string> = new Set();

/** How a list is ordered, grouped and shown. */
export interface Arrangement extends Required<Pick<DeviceQuery, 'sort' | 'order' | 'group'>> {
  columns: readonly ViewColumn[] | null;
}

/** Tells of the places in the list that look different; of all where there are none. */
type Listener = (places: readonly number[] | null) => void;

/** The devices of a connection: the engine searches, groups and sorts, the whole order is here, and the rows that are seen. */
export class Fleet {
  search = $state.raw<Search>(NOTHING);
  sort = $state.raw<Pick<DeviceQuery, 'sort' | 'order'>>({ sort: 'device', order: 'ascending' });
  group = $state<GroupBy | null>(null);
  /** The columns that were chosen; the usual ones where there are none. */
  columns = $state.raw<readonly ViewColumn[] | null>(null);
  /** Every device is a tile, instead of a row. */
  wall = $state(false);
  tileColours = $state<TileColours>('state');
  /** The measurement that the wall shows instead. */
  series = $state<string | null>(null);
  /** The pitch of the tiles that was zoomed to, device pixels; all of the wall is seen where there is none. */
  tilePitch = $state<number | null>(null);
  list = $state.raw<DeviceList>(EMPTY);
  /** The groups of which only the head is shown, by their searches. */
  folded = $state.raw<ReadonlySet<string>>(new Set());
  counts = $state.raw<FleetCounts | null>(null);
  total = $state(0);
  loaded = $state(false);
  failure = $state.raw<Failure | null>(null);
  /** Another list is loading: the previous one is still shown. */
  reloading = $state(false);
  /** The pointer is in the list: its order stays as it is. */
  held = $state(false);
  /** The order would be another one by now. */
  waiting = $state.raw<DeviceColumns | null>(null);
  /** The line with the keyboard focus. */
  active = $state(0);
  /** Counts up when the list is to go back to its top. */
  toTop = $state(0);
  readonly loadedRows: DeviceRows;
  /** Counts up when presence or states of the list have changed at their places. */
  patched = $state(0);

  readonly matching = $derived(this.list.ids.length);
  /** On the wall no group is folded. */
  readonly lines = $derived(new Lines(this.list.ids.length, this.list.groups, this.wall ? NONE_FOLDED : this.folded));
  /** The same object for as long as the order is: of a hundred thousand devices no place is looked for twice. */
  readonly #ids = $derived(this.list.ids);
  readonly #places = $derived(new Map(this.#ids.map((id, place) => [id, place])));

  #connection: string | null = null;
  #range: Range = { from: 0, to: 50 };
  #generation = 0;
  /** Counts the questions for the list: answers may overtake each other. */
  #asked = 0;
  #answered = 0;
  readonly #listeners = new Set<Listener>();
  readonly #rowsAgain = new Throttle(ROWS_PAUSE, () => void this.#loadRows(0), ROWS_AT_ONCE);
  readonly #listAgain = new Throttle(
    () => Math.max(LIST_PAUSE, this.list.ids.length / PER_MS),
    () => void this.#load(),
  );

  constructor(readonly backend: Backend) {
    this.loadedRows = new DeviceRows(backend);
  }

  get rows(): ReadonlyMap<string, DeviceRow> {
    return this.loadedRows.all;
  }

  /** The query of the list. */
  get query(): DeviceQuery | null {
    if (this.#connection === null) return null;
    return { connection: this.#connection, search: line(this.search), ...this.sort, group: this.group };
  }

  lineAt(at: number): Line | null {
    return this.lines.at(at);
  }

  /** The device on a line. */
  idAt(at: number): string | undefined {
    const index = this.lines.at(at)?.index ?? null;
    return index === null ? undefined : this.list.ids[index];
  }

  /** The row on a line, if it is loaded. */
  row(at: number): DeviceRow | undefined {
    const id = this.idAt(at);
    return id === undefined ? undefined : this.rows.get(id);
  }

  /** The line of a device, -1 where it is not listed. */
  indexOf(device: string): number {
    return this.lines.of(this.#places.get(device) ?? -1);
  }

  /** The devices from one place in the list to another, but for those of folded groups. */
  between(one: number, other: number): string[] {
    const from = Math.min(one, other);
    const ids = this.list.ids.slice(from, Math.max(one, other) + 1);
    const { lines } = this;
    const isSeen = (index: number) => lines.at(lines.of(index))?.index === index;
    return this.folded.size === 0 ? ids : ids.filter((_, i) => isSeen(from + i));
  }

  /** The place of a device in the list. */
  placeOf(device: string): number | undefined {
    return this.#places.get(device);
  }

  presenceAt(index: number): Presence {
    void this.patched;
    return PRESENCES[this.list.presence[index] ?? 2] ?? 'unknown';
  }

  stateAt(index: number): CommandState | null {
    void this.patched;
    return stateOf(this.list.states[index] ?? 0);
  }

  /** Called with the places in the list that look different, and with null for a new list. */
  onTiles(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Which connection's devices are listed. */
  open(connection: string): void {
    if (connection === this.#connection) return;
    this.#connection = connection;
    this.search = NOTHING;
    this.#begin(true);
  }

  find(search: Search): void {
    const changed = line(search) !== line(this.search);
    this.search = search;
    if (changed) this.#begin();
  }

  /** Searches for one line. Its conditions become tokens. */
  searchFor(text: string): void {
    const search = { tokens: [], text };
    this.find(search);
    if (text !== '') void this.#tokenise(search);
  }

  async #tokenise(search: Search): Promise<void> {
    const connection = this.#connection;
    if (connection === null) return;
    // Where it cannot be read, the list says so.
    const reading = await this.backend.readSearch(connection, search.text, search.text.length).catch(() => null);
    if (reading !== null && this.search === search) this.find(take(search, reading, true));
  }

  /** Whether a condition is part of the search. */
  has(condition: string): boolean {
    return this.search.tokens.includes(condition);
  }

  /** Adds a condition to the search, or takes it out. `instead` of these, because no device meets two of them. */
  toggle(condition: string, instead: readonly string[] = []): void {
    if (this.has(condition)) this.find(without(this.search, [condition]));
    else this.find(withCondition(without(this.search, instead), condition));
  }

  filterByTag(tag: string): void {
    const known = this.counts?.tags.find(({ value }) => value === tag)?.search;
    const condition = known ?? `tag:"${tag.replace(/["\\]/g, '\\$&')}"`;
    if (!this.has(condition)) this.toggle(condition);
  }

  sortBy(column: SortBy): void {
    const turned = isSameSort(this.sort.sort, column) && this.sort.order === 'ascending';
    this.sort = { sort: column, order: turned ? 'descending' : 'ascending' };
    this.#begin();
  }

  /** Shows these columns, or the usual ones. */
  showColumns(columns: readonly ViewColumn[] | null): void {
    this.columns = columns;
  }

  /** Orders, groups and shows the list otherwise, all at once. */
  arrange({ sort, order, group, columns }: Arrangement): void {
    if (group !== this.group) this.folded = new Set();
    this.sort = { sort, order };
    this.group = group;
    this.columns = columns;
    this.#begin();
  }

  groupBy(group: GroupBy | null): void {
    if (group === this.group) return;
    this.group = group;
    this.folded = new Set();
    this.#begin();
  }

  /** Colours the tiles by presence or the last command's state. */
  colourBy(colours: TileColours): void {
    this.tileColours = colours;
    this.show(null);
  }

  show(series: string | null): void {
    if (series === this.series) return;
    this.series = series;
    void this.#load();
  }

  fold(group: DeviceGroup): void {
    const folded = new Set(this.folded);
    if (!folded.delete(group.search)) folded.add(group.search);
    this.folded = folded;
  }

  /** The lines that are drawn now. */
  see(range: Range): void {
    this.#range = range;
    void this.#loadRows();
    // An empty list draws no rows, so it is loaded again from here.
    if (this.matching === 0 && this.loaded && !this.reloading) this.#listAgain.ask();
  }

  /** The pointer enters or leaves the list. */
  hold(held: boolean): void {
    this.held = held;
    if (!held) this.showNewOrder();
  }

  showNewOrder(): void {
    if (this.waiting) this.#show(this.waiting);
  }

  take(batch: Batch): void {
    const connection = this.#connection;
    if (connection === null) return;
    for (const states of batch.device_states) if (states.connection === connection) this.#patchList(states);
    const shown = batch.commands.filter((command) => command.connection === connection && !command.automatic);
    this.loadedRows.showCommands(shown);
    // A connection that could not be read at the start is read again.
    if (batch.connections !== null && this.failure !== null && !this.loaded) this.#listAgain.ask();
    if (!batch.devices.includes(connection)) return;
    const changed = batch.changed_devices.map(([, device]) => device);
    this.loadedRows.outdate(changed.length >= 200 ? undefined : changed);
    this.#rowsAgain.ask();
    this.#listAgain.ask();
  }

  refresh(): void {
    this.loadedRows.outdate();
    this.#rowsAgain.ask();
    this.#listAgain.ask();
  }

  #patchList(changed: DeviceStates): void {
    this.#announceChanges(patchDevices(this.list, changed, this.#places));
  }

  #begin(empty = false): void {
    this.#generation += 1;
    this.active = 0;
    this.toTop += 1;
    this.reloading = true;
    this.waiting = null;
    this.#range = { from: 0, to: Math.max(50, this.#range.to - this.#range.from) };
    if (empty) {
      this.list = EMPTY;
      this.loadedRows.clear();
      this.loaded = false;
      this.total = 0;
      this.counts = null;
    }
    void this.#load();
  }

  async #load(): Promise<void> {
    const { query } = this;
    if (query === null) return;
    const generation = this.#generation;
    const question = ++this.#asked;
    const known = this.reloading ? null : this.list.revision;
    try {
      const columns = await this.backend.deviceColumns(query, known, this.series);
      if (generation !== this.#generation || question < this.#answered) return;
      this.#answered = question;
      this.total = columns.total;
      // At rest they are the same, and what shows them is not computed again.
      if (JSON.stringify(columns.counts) !== JSON.stringify(this.counts)) this.counts = columns.counts;
      this.failure = null;
      this.loaded = true;
      if (this.held && !this.reloading && columns.devices !== null && this.#moves(columns.devices)) {
        this.waiting = columns;
        return;
      }
      this.#show(columns);
    } catch (reason) {
      if (generation !== this.#generation) return;
      this.reloading = false;
      this.failure = failureOf(reason);
    }
  }

  /** Whether another order moves what is seen. */
  #moves(ids: readonly string[]): boolean {
    for (let at = this.#range.from; at < this.#range.to; at++) {
      const index = this.lines.at(at)?.index ?? null;
      if (index !== null && ids[index] !== this.list.ids[index]) return true;
    }
    return false;
  }

  #show(columns: DeviceColumns): void {
    const { revision, devices, groups, presence, states, values } = columns;
    // A list that is known is not sent again. One that came meanwhile has taken its place.
    if (devices === null && revision !== this.list.revision) return void this.#load();
    this.waiting = null;
    this.reloading = false;
    // At rest hardly anything changes, and what looks the same is not drawn again.
    if (devices === null && isAlike(this.list, columns)) return this.#announceChanges(patchAll(this.list, columns));
    this.list = { revision, ids: devices ?? this.list.ids, groups, presence, states, values };
    if (this.active >= this.lines.count) this.active = Math.max(0, this.lines.count - 1);
    this.#announce(null);
    void this.#loadRows();
  }

  /** Loads the rows that are seen, and those so far around them. */
  async #loadRows(around = AROUND): Promise<void> {
    const connection = this.#connection;
    if (connection === null) return;
    const isCurrent = () => connection === this.#connection;
    try {
      await this.loadedRows.load(connection, (far) => this.#near(far ? AROUND : around), isCurrent);
    } catch (reason) {
      if (isCurrent()) this.failure = failureOf(reason);
    }
  }

  /** The devices on the lines that are seen and so far around them. */
  #near(around: number): string[] {
    const near: string[] = [];
    for (let at = this.#range.from - around; at < this.#range.to + around; at++) {
      const id = this.idAt(at);
      if (id !== undefined) near.push(id);
    }
    return near;
  }

  /** The devices at these places look different. */
  #announceChanges(places: readonly number[]): void {
    if (places.length === 0) return;
    this.patched += 1;
    this.#announce(places);
  }

  #announce(places: readonly number[] | null): void {
    for (const listener of this.#listeners) listener(places);
  }
}

export const [getFleet, setFleet] = createContext<Fleet>();
