/** The desired configurations of a connection's devices, by tag or saved view. */

import { createContext } from 'svelte';

import type { Batch } from '../../backend/bindings/Batch';
import type { DesiredConfig } from '../../backend/bindings/DesiredConfig';
import type { DesiredView } from '../../backend/bindings/DesiredView';
import { visibleName } from '../../format/text';
import type { Backend } from '../../state/backend';
import { Throttle } from '../../state/throttle';
import type { Connections } from '../../state/connections.svelte';
import type { Undo } from '../../state/undo.svelte';

/** Comparing a hundred thousand devices takes some time. */
const PAUSE = 2_000;

export class DesiredConfigs {
  list = $state.raw<readonly DesiredView[]>([]);
  loaded = $state(false);
  /** The dialog is open. */
  opened = $state(false);
  #connection: string | null = null;
  readonly #again = new Throttle(PAUSE, () => void this.load());

  constructor(
    readonly backend: Backend,
    readonly connections: Connections,
    readonly undo: Undo,
    /** The desired configurations have changed. */
    readonly onchange: () => void,
  ) {}

  /** Opens the dialog for the connection that is shown. */
  open(): void {
    const connection = this.connections.current?.id;
    if (connection === undefined) return;
    if (connection !== this.#connection) {
      this.#connection = connection;
      this.list = [];
      this.loaded = false;
    }
    this.opened = true;
    void this.load();
  }

  take(batch: Batch): void {
    if (this.opened && this.#connection !== null && batch.devices.includes(this.#connection)) this.#again.ask();
  }

  get connection(): string {
    return this.#connection ?? '';
  }

  /** Saves it; without a place it stays where it is. */
  async save(config: DesiredConfig): Promise<void> {
    await this.backend.saveDesired(config);
    await this.#changed();
  }

  /** Moves it up or down: the first that names a key decides its value. */
  async move({ desired }: DesiredView, by: number): Promise<void> {
    await this.save({ ...desired, place: Math.max(0, (desired.place ?? 0) + by) });
  }

  async clear({ desired, name }: DesiredView): Promise<void> {
    const cleared = await this.backend.clearDesired(desired.connection, desired.target);
    await this.#changed();
    const what = desired.target.by === 'tag' ? `the tag ${visibleName(name)}` : `the view “${visibleName(name)}”`;
    this.undo.offer(`Cleared the wanted values for ${what}.`, async () => {
      await this.backend.saveDesired(cleared);
      await this.#changed();
      return `Restored the wanted values for ${what}.`;
    });
  }

  async load(): Promise<void> {
    const connection = this.#connection;
    if (connection === null) return;
    const list = await this.backend.desired(connection).catch(() => null);
    if (list === null || connection !== this.#connection) return;
    this.list = list;
    this.loaded = true;
  }

  async #changed(): Promise<void> {
    await this.load();
    this.onchange();
  }
}

export const [getDesired, setDesired] = createContext<DesiredConfigs>();
