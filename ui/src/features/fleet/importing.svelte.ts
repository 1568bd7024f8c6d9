/** The import of a CSV file of devices: a preview first, then the import. It continues while another screen is shown. */

import { createContext } from 'svelte';

import type { DeviceImport } from '../../backend/bindings/DeviceImport';
import type { Failure } from '../../backend/bindings/Failure';
import type { Backend } from '../../state/backend';
import { failureOf } from '../../state/failure';
import { cleanPath } from '../../format/path';
import type { Connections } from '../../state/connections.svelte';
import { lasting } from '../../state/lasting.svelte';

export class Importing {
  path = $state('');
  /** The content of the file. */
  preview = $state.raw<DeviceImport | null>(null);
  /** The imported devices. */
  done = $state.raw<DeviceImport | null>(null);
  /** How far reading or importing is; nothing while neither is in progress. */
  progress = $state.raw<DeviceImport | null>(null);
  failure = $state.raw<Failure | null>(null);
  readonly file = $derived(cleanPath(this.path));
  /** How many devices importing would add or change. */
  readonly gain = $derived(this.preview === null ? 0 : this.preview.new + this.preview.changed);

  constructor(
    readonly backend: Backend,
    readonly connection: string,
    /** Devices have been imported. */
    readonly onimport: () => void,
  ) {}

  async choose(): Promise<void> {
    try {
      this.path = (await this.backend.chooseFiles('Import devices'))[0] ?? this.path;
    } catch (reason) {
      this.failure = failureOf(reason);
    }
  }

  /** Reads the file, and imports nothing. */
  async look(): Promise<void> {
    const preview = await this.#run((tell) => this.backend.readDeviceFile(this.connection, this.file, tell));
    if (preview !== null && !preview.stopped) this.preview = preview;
  }

  async import(): Promise<void> {
    this.done = await this.#run((tell) => this.backend.importDevices(this.connection, this.file, tell));
    this.onimport();
  }

  async stop(): Promise<void> {
    await this.backend.stopDeviceImport();
  }

  /** Another file was chosen. */
  back(): void {
    this.preview = null;
    this.failure = null;
  }

  async #run(ask: (tell: (view: DeviceImport) => void) => Promise<DeviceImport>): Promise<DeviceImport | null> {
    if (this.progress !== null) return null;
    this.failure = null;
    this.progress = EMPTY;
    try {
      return await ask((view) => {
        if (this.progress !== null) this.progress = view;
      });
    } catch (reason) {
      this.failure = failureOf(reason);
      return null;
    } finally {
      this.progress = null;
    }
  }
}

/** The import that is open. */
export class Imports {
  opened = $state.raw<Importing | null>(null);

  constructor(
    readonly backend: Backend,
    readonly connections: Connections,
    /** Devices have been imported. */
    readonly onimport: () => void,
  ) {}

  /** Opens the import for the connection that is shown, or the one that is still open. */
  open(): void {
    const connection = this.connections.current?.id;
    if (connection !== undefined) this.opened ??= lasting(() => new Importing(this.backend, connection, this.onimport));
  }

  close(): void {
    this.opened = null;
  }
}

export const [getImports, setImports] = createContext<Imports>();

const EMPTY: DeviceImport = {
  columns: [],
  lines: 0,
  new: 0,
  changed: 0,
  same: 0,
  refused: 0,
  errors: [],
  examples: [],
  bytes: 0,
  total_bytes: 0,
  stopped: false,
};
