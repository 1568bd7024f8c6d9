import type { Backend } from '../backend/backend';
import type { Batch } from '../backend/bindings/Batch';
import type { ConnectionView } from '../backend/bindings/ConnectionView';
import type { NewConnection } from '../backend/bindings/NewConnection';
import type { Probe } from '../backend/bindings/Probe';
import type { Preferences } from './preferences.svelte';

/** How many values a sparkline remembers. */
const REMEMBERED = 60;

export interface Gauges {
  trip: number[];
  inward: number[];
}

export class Connections {
  list = $state.raw<ConnectionView[]>([]);
  loaded = $state(false);
  chosen = $state<string | null>(null);
  gauges = $state.raw<Gauges>({ trip: [], inward: [] });
  readonly current = $derived(this.list.find((connection) => connection.id === this.chosen) ?? this.list[0] ?? null);

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
    this.list = batch.connections;
    const { current } = this;
    if (!current) return;
    this.gauges = {
      trip: remember(this.gauges.trip, current.round_trip_ms),
      inward: remember(this.gauges.inward, current.in_per_second),
    };
  }

  choose(id: string): void {
    if (id === this.current?.id && id === this.chosen) return;
    this.chosen = id;
    this.gauges = { trip: [], inward: [] };
    void this.preferences.change({ connection: id });
  }

  async startDemo(): Promise<ConnectionView> {
    const demo = await this.backend.startDemo();
    this.#put(demo);
    this.choose(demo.id);
    return demo;
  }

  async add(connection: NewConnection): Promise<ConnectionView> {
    const added = await this.backend.addConnection(connection);
    this.#put(added);
    this.choose(added.id);
    return added;
  }

  test(connection: NewConnection): Promise<Probe> {
    return this.backend.testConnection(connection);
  }

  async remove(id: string): Promise<void> {
    await this.backend.removeConnection(id);
    this.list = this.list.filter((connection) => connection.id !== id);
  }

  chooseFile(title: string, extensions: string[]): Promise<string | null> {
    return this.backend.chooseFile(title, extensions);
  }

  #put(connection: ConnectionView): void {
    this.list = [...this.list.filter((other) => other.id !== connection.id), connection];
  }
}

function remember(values: number[], value: number | null): number[] {
  return value === null ? values : [...values, value].slice(-REMEMBERED);
}
