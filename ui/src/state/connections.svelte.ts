import { createContext } from 'svelte';

import type { Backend } from '../backend/backend';
import type { Batch } from '../backend/bindings/Batch';
import type { ConnectionView } from '../backend/bindings/ConnectionView';
import type { FileToWrite } from '../backend/bindings/FileToWrite';
import type { Imported } from '../backend/bindings/Imported';
import { formOf, entryOf } from './form';
import { Kit } from './kit.svelte';
import { Preflight } from './preflight.svelte';
import type { Preferences } from './preferences.svelte';
import { Wizard, type Place } from './wizard.svelte';
import { lasting } from './lasting.svelte';
import { Throttle } from './throttle';

/** How many values a sparkline remembers. */
const REMEMBERED = 60;
/** Milliseconds. Whenever a gauge changes, the window is drawn again, and it changes for as long as devices send. */
const GAUGE_EVERY_MS = 2_000;

/** What is measured of a connection while it is up. */
type Measured = Pick<ConnectionView, 'round_trip_ms' | 'in_per_second' | 'out_per_second'>;

export interface Gauges {
  /** The latest values; null before the first. */
  latest: Measured | null;
  trip: number[];
  inward: number[];
}

const UNREAD: Gauges = { latest: null, trip: [], inward: [] };

export class Connections {
  list = $state.raw<ConnectionView[]>([]);
  loaded = $state(false);
  chosen = $state<string | null>(null);
  gauges = $state.raw<Gauges>(UNREAD);
  /** A connection that is being entered or changed. It stays while other screens are open. */
  wizard = $state.raw<Wizard | null>(null);
  /** Called when the current one was removed and replaced by another, or none. `here`: it was removed in this window. */
  onlost: (lost: ConnectionView, here: boolean) => void = () => undefined;
  /** At work they change many times a second. */
  readonly #gauging = new Throttle(GAUGE_EVERY_MS, () => this.#readGauges());
  #removing: string | null = null;
  /** An order that the engine may not have received yet. */
  #order: string[] | null = null;
  readonly current = $derived(this.list.find((connection) => connection.id === this.chosen) ?? this.list[0] ?? null);
  /** The same for as long as the connection is: what is counted of it changes every second, and more often at work. */
  readonly currentId = $derived(this.current?.id ?? null);

  /** The connections that are not online. */
  readonly troubled = $derived(this.list.filter(({ link }) => link.state === 'waiting' || link.state === 'stopped'));
  /** Those of them that are not the current one. */
  readonly troubledElsewhere = $derived(this.troubled.filter(({ id }) => id !== this.current?.id));

  constructor(
    readonly backend: Backend,
    readonly preferences: Preferences,
  ) {}

  async load(): Promise<void> {
    this.list = await this.backend.connections();
    this.chosen = this.preferences.connection;
    this.loaded = true;
  }

  take(batch: Batch): void {
    if (batch.connections === null) return;
    this.#become(this.#inOrder(batch.connections));
    this.#gauging.ask();
  }

  #readGauges(): void {
    const { current } = this;
    if (current === null) return;
    this.gauges = {
      latest: current,
      trip: remember(this.gauges.trip, current.round_trip_ms),
      inward: remember(this.gauges.inward, current.in_per_second),
    };
  }

  choose(id: string): void {
    if (id === this.current?.id && id === this.chosen) return;
    this.chosen = id;
    this.gauges = UNREAD;
    this.#gauging.now();
    void this.preferences.change({ connection: id });
  }

  async startDemo(): Promise<ConnectionView> {
    const demo = await this.backend.startDemo();
    this.#put(demo);
    this.choose(demo.id);
    return demo;
  }

  /** Opens the wizard, with the values that were entered before. */
  add(): void {
    this.wizard ??= lasting(() => new Wizard(this.backend, () => this.list.map(({ name }) => name)));
  }

  edit(connection: ConnectionView, place?: Place): void {
    const others = () => this.list.filter(({ id }) => id !== connection.id).map(({ name }) => name);
    this.wizard = lasting(() => new Wizard(this.backend, others, connection, place));
  }

  /** Saves the wizard's connection and closes the wizard; returns null if it could not be saved. A new one becomes the current one. */
  async save(): Promise<ConnectionView | null> {
    const { wizard } = this;
    const saved = (await wizard?.save()) ?? null;
    if (wizard === null || saved === null) return null;
    this.wizard = null;
    this.#put(saved);
    if (wizard.editing === null) this.choose(saved.id);
    return saved;
  }

  async discard(): Promise<void> {
    const { wizard } = this;
    this.wizard = null;
    await wizard?.discard();
  }

  /** Tries a connection as it is kept. */
  test(connection: ConnectionView): Preflight {
    const preflight = new Preflight(this.backend);
    void preflight.start({ entry: this.entry(connection), files: [] });
    return preflight;
  }

  /** A connection as an entry that changes nothing of it. */
  entry(connection: ConnectionView) {
    const around = { kit: null, kept: connection.has, presets: [], taken: [], named: connection.devices_named };
    return entryOf(formOf(connection), around, connection.denied);
  }

  /** Connects at once instead of at the next try: to be saved as it is begins a connection's session again. */
  async tryNow(connection: ConnectionView): Promise<void> {
    this.#put(await this.backend.saveConnection(this.entry(connection)));
  }

  /** Shows the devices of dialects that were found. */
  async enableDialects(id: string, names: string[]): Promise<void> {
    this.#put(await this.backend.enableDialects(id, names));
  }

  /** Does not offer them again. */
  async declineDialects(id: string, names: string[]): Promise<void> {
    await this.backend.declineDialects(id, names);
    const known = this.list.find((connection) => connection.id === id);
    if (known) this.#put({ ...known, offers: known.offers.filter(({ name }) => !names.includes(name)) });
  }

  /** Stores a dialect file of one's own with a connection. */
  async saveDialect(id: string, text: string, replaces: string | null, enable: boolean): Promise<void> {
    this.#put(await this.backend.saveDialect(id, text, replaces, enable));
  }

  async removeDialect(id: string, name: string): Promise<void> {
    this.#put(await this.backend.removeDialect(id, name));
  }

  bring(): Kit {
    return new Kit(this.backend);
  }

  async renew(id: string, kit: string): Promise<ConnectionView> {
    const renewed = await this.backend.renewCertificate(id, kit);
    this.#put(renewed);
    return renewed;
  }

  async duplicate(id: string): Promise<ConnectionView> {
    const copy = await this.backend.duplicateConnection(id);
    this.#put(copy);
    return copy;
  }

  /** Moves a connection one place up or down; returns its new place. */
  async move(id: string, by: -1 | 1): Promise<number> {
    const ids = this.list.map((connection) => connection.id);
    const from = ids.indexOf(id);
    const to = from + by;
    const other = ids[to];
    if (from < 0 || other === undefined) return from + 1;
    ids[to] = id;
    ids[from] = other;
    this.#order = ids;
    this.list = this.#inOrder(this.list);
    try {
      await this.backend.orderConnections(ids);
    } catch (reason) {
      this.#order = null;
      this.list = await this.backend.connections();
      throw reason;
    }
    return to + 1;
  }

  /** Writes them to a file, and says where that lies. */
  export(ids: string[], to: FileToWrite, passphrase: string | null): Promise<string> {
    return this.backend.exportConnections(ids, to, passphrase);
  }

  async import(path: string, passphrase: string | null, withoutKeyring: boolean): Promise<Imported> {
    const imported = await this.backend.importConnections(path, passphrase, withoutKeyring);
    if (!imported.locked) this.list = await this.backend.connections();
    return imported;
  }

  async remove(id: string): Promise<void> {
    this.#removing = id;
    await this.backend.removeConnection(id);
    this.#become(this.list.filter((connection) => connection.id !== id));
  }

  async chooseFile(title: string): Promise<string | null> {
    return (await this.backend.chooseFiles(title))[0] ?? null;
  }

  /** A batch that was in progress when the order changed would show the old one for a moment. */
  #inOrder(list: ConnectionView[]): ConnectionView[] {
    const order = this.#order;
    if (order === null) return list;
    if (list.every(({ id }, i) => id === order[i]) && order.length === list.length) {
      this.#order = null;
      return list;
    }
    const sorted = order.flatMap((id) => list.find((connection) => connection.id === id) ?? []);
    const known = sorted.length === list.length && order.length === list.length;
    if (!known) this.#order = null;
    return known ? sorted : list;
  }

  /** Shows that another connection is the current one now. */
  #become(list: ConnectionView[]): void {
    const before = this.current;
    this.list = list;
    if (before === null || list.some(({ id }) => id === before.id)) return;
    if (this.current !== null) this.choose(this.current.id);
    this.onlost(before, before.id === this.#removing);
  }

  #put(connection: ConnectionView): void {
    const known = this.list.some((other) => other.id === connection.id);
    this.list = known
      ? this.list.map((other) => (other.id === connection.id ? connection : other))
      : [...this.list, connection];
  }
}

export const [getConnections, setConnections] = createContext<Connections>();

function remember(values: number[], value: number | null): number[] {
  return value === null ? values : [...values, value].slice(-REMEMBERED);
}
