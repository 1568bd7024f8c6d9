/** The one seam between the window and the engine. */

import type { Batch } from './bindings/Batch';
import type { CatalogueEntry } from './bindings/CatalogueEntry';
import type { CommandButton } from './bindings/CommandButton';
import type { CommandDefinition } from './bindings/CommandDefinition';
import type { CommandDetail } from './bindings/CommandDetail';
import type { CommandPreview } from './bindings/CommandPreview';
import type { CommandToPreview } from './bindings/CommandToPreview';
import type { ConnectionEntry } from './bindings/ConnectionEntry';
import type { ConnectionView } from './bindings/ConnectionView';
import type { DeviceDetail } from './bindings/DeviceDetail';
import type { DeviceOrder } from './bindings/DeviceOrder';
import type { DevicePage } from './bindings/DevicePage';
import type { DeviceQuery } from './bindings/DeviceQuery';
import type { ExportFormat } from './bindings/ExportFormat';
import type { ExportView } from './bindings/ExportView';
import type { FileToWrite } from './bindings/FileToWrite';
import type { FilesToRead } from './bindings/FilesToRead';
import type { HistoryPage } from './bindings/HistoryPage';
import type { HistoryQuery } from './bindings/HistoryQuery';
import type { ImportLine } from './bindings/ImportLine';
import type { Imported } from './bindings/Imported';
import type { KeptLog } from './bindings/KeptLog';
import type { KitView } from './bindings/KitView';
import type { LogView } from './bindings/LogView';
import type { NewCommand } from './bindings/NewCommand';
import type { NewsSubject } from './bindings/NewsSubject';
import type { Older } from './bindings/Older';
import type { PreflightView } from './bindings/PreflightView';
import type { PresetView } from './bindings/PresetView';
import type { Sent } from './bindings/Sent';
import type { Settings } from './bindings/Settings';
import type { SortBy } from './bindings/SortBy';
import type { TelemetryQuery } from './bindings/TelemetryQuery';
import type { TelemetryView } from './bindings/TelemetryView';
import type { Step } from './bindings/Step';
import type { TrafficBatch } from './bindings/TrafficBatch';
import type { TrafficQuery } from './bindings/TrafficQuery';

/** What the engine is asked. Every promise rejects with a `Failure`. */
export interface Backend {
  connections(): Promise<ConnectionView[]>;
  presets(): Promise<PresetView[]>;
  /** A new connection, or a changed one where the entry names it. */
  saveConnection(entry: ConnectionEntry): Promise<ConnectionView>;
  duplicateConnection(id: string): Promise<ConnectionView>;
  /** Every connection's id, in the order in which they are to be listed. */
  orderConnections(ids: string[]): Promise<void>;
  /** Puts what the files brought in the place of the certificate that is kept. */
  renewCertificate(id: string, kit: string): Promise<ConnectionView>;
  removeConnection(id: string): Promise<void>;
  /** Writes connections to a file: with their secrets under a passphrase, or without secrets where there is none. */
  /** Says where the file lies, as the others that write one do. */
  exportConnections(ids: string[], to: FileToWrite, passphrase: string | null): Promise<string>;
  importConnections(path: string, passphrase: string | null, withoutKeyring: boolean): Promise<Imported>;
  /** Reads files and tells what is in them. They are not needed afterwards. */
  readFiles(files: FilesToRead): Promise<KitView>;
  leaveOut(kit: string, item: number): Promise<KitView>;
  forgetKit(kit: string): Promise<void>;
  /** Tries a connection step by step, from the first or a later one, and calls back with how it stands. */
  preflight(entry: ConnectionEntry, from: Step | null, onView: (view: PreflightView) => void): Promise<PreflightView>;
  stopPreflight(): Promise<void>;
  /** Starts the demo fleet, or returns it if it is running. */
  startDemo(): Promise<ConnectionView>;
  devices(query: DeviceQuery, from: number, count: number): Promise<DevicePage>;
  device(connection: string, device: string): Promise<DeviceDetail>;
  /** Forgets a device with its history: not while it has something to do. */
  forgetDevice(connection: string, device: string): Promise<void>;
  send(command: NewCommand): Promise<Sent>;
  /** The same command once more, under a new id that names the old one. */
  sendAgain(connection: string, device: string, id: string): Promise<Sent>;
  /** Withdraws a command that was never sent; later it stops the waiting. */
  cancel(connection: string, device: string, id: string): Promise<void>;
  history(query: HistoryQuery): Promise<HistoryPage>;
  command(connection: string, device: string, id: string): Promise<CommandDetail>;
  /** Writes all that matches to a file, whatever page is asked for, and calls back with how far it is. */
  exportHistory(
    query: HistoryQuery,
    to: FileToWrite,
    format: ExportFormat,
    onView: (view: ExportView) => void,
  ): Promise<ExportView>;
  stopExport(): Promise<void>;
  /** What a device has measured, in as many points as are asked for. */
  telemetry(query: TelemetryQuery): Promise<TelemetryView>;
  /** The logs that are kept of a device, newest first. */
  logs(connection: string, device: string): Promise<KeptLog[]>;
  /** The log that a command asked for, as far as it has come: its text too, or only how it stands. */
  log(connection: string, device: string, id: string, withText: boolean): Promise<LogView>;
  saveLog(connection: string, device: string, id: string, to: FileToWrite): Promise<string>;
  forgetLog(connection: string, device: string, id: string): Promise<void>;
  /** The commands that are known by name: the built-in ones, then the person's own. */
  catalogue(): Promise<CatalogueEntry[]>;
  /** A new command, or a changed one where it is named. */
  saveDefinition(id: string | null, definition: CommandDefinition): Promise<CatalogueEntry>;
  removeDefinition(id: string): Promise<void>;
  /** How a command would go out, and all that is wrong with it. */
  previewCommand(command: CommandToPreview): Promise<CommandPreview>;
  /** What is in a file of commands, and what taking it would do. */
  readCatalogue(path: string): Promise<ImportLine[]>;
  /** Takes what is new in a file, and what is different where it is named. */
  importCatalogue(path: string, replace: string[]): Promise<ImportLine[]>;
  exportCatalogue(ids: string[], to: FileToWrite): Promise<string>;
  buttons(): Promise<CommandButton[]>;
  saveButton(button: CommandButton): Promise<CommandButton>;
  orderButtons(ids: string[]): Promise<void>;
  removeButton(id: string): Promise<void>;
  /** Calls back with what has changed. The promise's function ends it. */
  subscribe(onBatch: (batch: Batch) => void): Promise<() => void>;
  /** Calls back with what is on the wire, until other traffic is asked for or none any more. */
  watchTraffic(query: TrafficQuery, onBatch: (batch: TrafficBatch) => void): Promise<void>;
  stopTraffic(): Promise<void>;
  about(): Promise<About>;
  settings(): Promise<Settings>;
  /** All of them, as they are to be from now on. */
  changeSettings(settings: Settings): Promise<void>;
  /** How much is from more than so many days ago. */
  countOlder(days: number): Promise<Older>;
  /** Forgets that, commands with all their evidence, and says how much it was. */
  forgetOlder(days: number): Promise<Older>;
  /** What the data takes on the disk, bytes. */
  dataSize(): Promise<number>;
  /** Shows the data's folder in the system's file manager. */
  openDataFolder(): Promise<void>;
  loadPreferences(): Promise<Preferences>;
  savePreferences(preferences: Preferences): Promise<void>;
  /** Shows the whole page so many times as large. */
  setZoom(factor: number): Promise<void>;
  /** Lets the person choose files; none where they would not. */
  chooseFiles(title: string): Promise<string[]>;
  /** Lets the person choose where to write a file; nothing where they would not. */
  chooseSavePath(title: string, name: string): Promise<string | null>;
  /** Tells of notifications that were clicked, by what they were about. The promise's function ends it. */
  onNewsAsked(callback: (subject: NewsSubject) => void): Promise<() => void>;
  /** Tells of files that are dragged over the window and dropped on it. The promise's function ends it. */
  onFilesDropped(callback: Dropped): Promise<() => void>;
  /** Calls back instead of closing when the window is to be closed. The promise's function ends that. */
  onCloseRequested(callback: () => void): Promise<() => void>;
  /** Closes the window, without asking anybody. */
  closeWindow(): Promise<void>;
}

export interface Dropped {
  /** Files hang over the window, or no longer do. */
  over(active: boolean): void;
  drop(paths: string[]): void;
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
  /** How large everything is: 1 is its usual size. */
  zoom: number;
  /** The connection that was looked at last. */
  connection: string | null;
  /** What was looked at when the window was closed. */
  view: View | null;
}

/** What is looked at: of the fleet and of the history, and on which screen. */
export interface View {
  screen: 'fleet' | 'log' | 'charts' | 'history' | 'traffic' | 'connections' | 'commands' | 'settings';
  connection: string | null;
  device: string | null;
  search: string;
  sort: SortBy;
  order: DeviceOrder;
  /** The history's filter, by its name. */
  filter: string;
  /** The device that the history is of; of all where empty. */
  ofDevice: string;
}

export const DEFAULT_PREFERENCES: Preferences = {
  theme: 'system',
  density: 'comfortable',
  zoom: 1,
  connection: null,
  view: null,
};
