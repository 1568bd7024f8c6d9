/** The one seam between the window and the engine. */

import type { Batch } from './bindings/Batch';
import type { CommandDetail } from './bindings/CommandDetail';
import type { ConnectionView } from './bindings/ConnectionView';
import type { DeviceDetail } from './bindings/DeviceDetail';
import type { DevicePage } from './bindings/DevicePage';
import type { DeviceQuery } from './bindings/DeviceQuery';
import type { HistoryPage } from './bindings/HistoryPage';
import type { HistoryQuery } from './bindings/HistoryQuery';
import type { NewCommand } from './bindings/NewCommand';
import type { NewConnection } from './bindings/NewConnection';
import type { Probe } from './bindings/Probe';
import type { Sent } from './bindings/Sent';

/** What the engine is asked. Every promise rejects with a `Failure`. */
export interface Backend {
  connections(): Promise<ConnectionView[]>;
  addConnection(connection: NewConnection): Promise<ConnectionView>;
  testConnection(connection: NewConnection): Promise<Probe>;
  removeConnection(id: string): Promise<void>;
  /** Starts the demo fleet, or returns it if it is running. */
  startDemo(): Promise<ConnectionView>;
  devices(query: DeviceQuery, from: number, count: number): Promise<DevicePage>;
  device(connection: string, device: string): Promise<DeviceDetail>;
  send(command: NewCommand): Promise<Sent>;
  /** Withdraws a command that was never sent; later it stops the waiting. */
  cancel(connection: string, device: string, id: string): Promise<void>;
  history(query: HistoryQuery): Promise<HistoryPage>;
  command(connection: string, device: string, id: string): Promise<CommandDetail>;
  /** Calls back with what has changed. The promise's function ends it. */
  subscribe(onBatch: (batch: Batch) => void): Promise<() => void>;
  about(): Promise<About>;
  loadPreferences(): Promise<Preferences>;
  savePreferences(preferences: Preferences): Promise<void>;
  /** Lets the person choose a file; nothing where they would not. */
  chooseFile(title: string, extensions: string[]): Promise<string | null>;
}

export interface About {
  version: string;
  data_dir: string;
}

export type Theme = 'system' | 'light' | 'dark';
export type Density = 'comfortable' | 'compact';

/** How the person likes the window. No secrets, nothing of the fleet. */
export interface Preferences {
  theme: Theme;
  density: Density;
  /** The connection that was looked at last. */
  connection: string | null;
}

export const DEFAULT_PREFERENCES: Preferences = { theme: 'system', density: 'comfortable', connection: null };
