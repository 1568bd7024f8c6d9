/** Configuration, desired configuration and measurements of the visible rows. */

import { createContext } from 'svelte';

import type { DeviceCells } from '../../backend/bindings/DeviceCells';
import type { DeviceDesired } from '../../backend/bindings/DeviceDesired';
import type { ViewColumn } from '../../backend/bindings/ViewColumn';
import { columnKey } from '../../format/gridColumns';
import type { Backend } from '../../state/backend';
import { Throttle } from '../../state/throttle';

/** Measurements arrive every few seconds. */
const PAUSE = 3_000;
/** The columns whose values are requested separately; all others are part of the rows. */
const ASKED: ViewColumn['column'][] = ['config', 'telemetry', 'desired'];
/** As many as the engine answers with. */
const AT_ONCE = 200;

export class Cells {
  #rows = $state.raw<ReadonlyMap<string, DeviceCells>>(new Map());
  #columns: readonly ViewColumn[] = [];
  #places = new Map<string, number>();
  #wanted: { connection: string; devices: readonly string[] } | null = null;
  readonly #again = new Throttle(PAUSE, () => void this.#load());

  constructor(readonly backend: Backend) {}

  /** These devices are seen, with these columns. */
  want(connection: string, devices: readonly string[], columns: readonly ViewColumn[]): void {
    const asked = columns.filter(({ column }) => ASKED.includes(column));
    const keys = asked.map(columnKey).join('\n');
    if (keys !== this.#columns.map(columnKey).join('\n') || connection !== this.#wanted?.connection) {
      this.#columns = asked;
      this.#places = new Map(asked.map((column, place) => [columnKey(column), place]));
      this.#rows = new Map();
      this.#wanted = { connection, devices };
      if (asked.length > 0) this.#again.now();
      return;
    }
    this.#wanted = { connection, devices };
    if (asked.length > 0) this.#again.ask();
  }

  /** Something of the fleet is different. */
  refresh(): void {
    if (this.#columns.length > 0) this.#again.ask();
  }

  /** A value of the running configuration, as JSON text. */
  config(device: string, column: ViewColumn): string | null {
    // Read first: a cell that is drawn before its column is loaded is drawn again when the rows arrive.
    const row = this.#rows.get(device);
    const place = this.#places.get(columnKey(column));
    return place === undefined ? null : (row?.config[place] ?? null);
  }

  /** The latest measurements, the newest at the end. */
  measured(device: string, column: ViewColumn): number[] {
    const row = this.#rows.get(device);
    const place = this.#places.get(columnKey(column));
    return place === undefined ? [] : (row?.measured[place] ?? []);
  }

  /** Whether a device has its desired configuration; null without one. */
  desired(device: string): DeviceDesired | null {
    return this.#rows.get(device)?.desired ?? null;
  }

  async #load(): Promise<void> {
    const [wanted, columns] = [this.#wanted, this.#columns];
    if (wanted === null || columns.length === 0) return;
    const devices = wanted.devices.slice(0, AT_ONCE);
    // Values that cannot be read are not shown; the list reports the error.
    const found = await this.backend.deviceCells(wanted.connection, devices, [...columns]).catch(() => null);
    if (found === null || columns !== this.#columns || wanted.connection !== this.#wanted?.connection) return;
    this.#rows = new Map(found.map((cells) => [cells.device, cells]));
  }
}

export const [getCells, setCells] = createContext<Cells>();
