/** The selected devices, by their IDs, so that sorting, searching and new data do not change the selection. */

import { createContext } from 'svelte';

import type { Backend } from '../backend/backend';
import type { Batch } from '../backend/bindings/Batch';
import type { DeviceGroup } from '../backend/bindings/DeviceGroup';
import type { DeviceSummary } from '../backend/bindings/DeviceSummary';
import type { Failure } from '../backend/bindings/Failure';
import { failureOf } from './failure';
import type { Fleet } from './fleet.svelte';
import type { Inspected } from './inspected.svelte';
import { Throttle } from './throttle';

/** A hundred thousand devices are not compared more often than this. */
const PAUSE = 1_000;
/** A few devices, which are compared in no time. */
const FEW = 2_000;
const SOON = 100;

const NONE: ReadonlySet<string> = new Set();

/**
 * Two devices or more. A single one is the one that is looked at (`Inspected`), so that there is one answer to the
 * question which device is meant.
 */
export class Selection {
  ids = $state.raw<ReadonlySet<string>>(NONE);
  /** The properties that they have in common, and the differences. */
  summary = $state.raw<DeviceSummary | null>(null);
  /** How many of those that were compared the engine no longer knows. */
  unknown = $state(0);
  failure = $state.raw<Failure | null>(null);
  readonly size = $derived(this.ids.size);
  readonly isMany = $derived(this.ids.size > 1);
  /** The start of a range: the device that was last selected alone. */
  #anchor: string | null = null;
  /** The selection before the range that is being drawn. */
  #before: ReadonlySet<string> = NONE;
  #connection: string | null = null;
  #question = 0;
  readonly #compareAgain = new Throttle(PAUSE, () => void this.#compare());
  /** A new selection of a few devices is compared almost at once. */
  readonly #compareSoon = new Throttle(SOON, () => void this.#compare());

  constructor(
    readonly backend: Backend,
    readonly fleet: Fleet,
    readonly inspected: Inspected,
  ) {}

  has(device: string): boolean {
    return this.isMany ? this.ids.has(device) : this.#single === device;
  }

  /** A device alone. */
  only(connection: string, device: string): void {
    this.#anchor = device;
    this.#set(NONE, connection);
    this.inspected.choose(connection, device);
  }

  /** Adds a device, or takes it out. */
  toggle(connection: string, device: string): void {
    const ids = new Set(this.#current(connection));
    if (!ids.delete(device)) ids.add(device);
    this.#anchor = device;
    this.#set(ids, connection);
  }

  /**
   * Selects from the device that was last selected alone to this one, in the list's order and without those of folded
   * groups; besides the others with `adds`.
   */
  rangeTo(connection: string, device: string, adds = false): void {
    const from = this.fleet.placeOf(this.#anchor ?? this.#single ?? device);
    const to = this.fleet.placeOf(device);
    if (from === undefined || to === undefined) return this.only(connection, device);
    const range = this.fleet.between(from, to);
    this.#anchor ??= this.#single ?? device;
    this.#set(new Set(adds ? [...this.#current(connection), ...range] : range), connection);
  }

  /** Begins to draw a range or a frame over devices. */
  begin(connection: string, adds: boolean): void {
    this.#before = adds ? new Set(this.#current(connection)) : NONE;
  }

  /** The devices in the range or frame that is being drawn. */
  draw(connection: string, devices: Iterable<string>): void {
    const ids = new Set(this.#before);
    for (const device of devices) ids.add(device);
    this.#set(ids, connection);
  }

  /** Every device that the list shows, and those that were selected before. */
  all(connection: string): void {
    // Another list is meant by then than the one that is still here.
    if (this.fleet.reloading || this.fleet.failure !== null) return;
    this.#set(new Set([...this.#current(connection), ...this.fleet.list.ids]), connection);
  }

  /** Adds the devices of a group to those that are selected, or takes them out if all of them are. */
  toggleGroup(connection: string, { from, count }: DeviceGroup): void {
    const devices = this.fleet.list.ids.slice(from, from + count);
    const ids = new Set(this.isMany ? this.#current(connection) : NONE);
    const isWhole = devices.every((device) => ids.has(device));
    for (const device of devices) {
      if (isWhole) ids.delete(device);
      else ids.add(device);
    }
    this.#set(ids, connection);
  }

  /** Removes deleted devices. */
  remove(devices: readonly string[]): void {
    const ids = new Set(this.ids);
    devices.forEach((device) => ids.delete(device));
    this.#set(ids, this.#connection);
  }

  /** Compares them again. */
  refresh(): void {
    if (this.isMany) this.#compareAgain.ask();
  }

  clear(): void {
    this.#set(NONE, this.#connection);
  }

  /** The selected devices, in the order of the list; devices outside it are last. */
  inOrder(): string[] {
    const place = (id: string) => this.fleet.placeOf(id) ?? Number.MAX_SAFE_INTEGER;
    return [...this.ids].sort((a, b) => place(a) - place(b));
  }

  /** How many of those that the list shows are not selected. */
  get missing(): number {
    if (this.fleet.reloading || this.fleet.failure !== null) return 0;
    return this.fleet.list.ids.reduce((sum, id) => sum + Number(!this.ids.has(id)), 0);
  }

  take(batch: Batch): void {
    if (this.isMany && this.#connection !== null && batch.devices.includes(this.#connection)) this.#compareAgain.ask();
  }

  get #single(): string | null {
    return this.inspected.device;
  }

  #current(connection: string): Iterable<string> {
    if (connection !== this.#connection && this.#connection !== null && this.isMany) return [];
    if (this.isMany) return this.ids;
    return this.#single === null || this.inspected.connection !== connection ? [] : [this.#single];
  }

  #set(ids: ReadonlySet<string>, connection: string | null): void {
    this.#connection = connection;
    if (ids.size === 1 && connection !== null) {
      const [device] = ids;
      if (device !== undefined) this.inspected.choose(connection, device);
    } else if (ids.size === 0 && this.isMany) {
      this.#anchor = null;
    }
    this.ids = ids.size > 1 ? ids : NONE;
    if (!this.isMany) this.summary = null;
    else if (this.size <= FEW) this.#compareSoon.ask();
    else this.#compareAgain.ask();
  }

  async #compare(): Promise<void> {
    const connection = this.#connection;
    if (connection === null || !this.isMany) return;
    const question = ++this.#question;
    try {
      const compared = [...this.ids];
      const summary = await this.backend.compareDevices(connection, compared);
      if (question !== this.#question || !this.isMany) return;
      this.summary = summary;
      this.unknown = compared.length - summary.devices;
      this.failure = null;
    } catch (reason) {
      if (question === this.#question) this.failure = failureOf(reason);
    }
  }
}

export const [getSelection, setSelection] = createContext<Selection>();
