/** The interface between the window and the engine. */

import type { Calls } from './bindings/Calls';
import type { ConnectionView } from './bindings/ConnectionView';
import type { DeviceOrder } from './bindings/DeviceOrder';
import type { FaultDials } from './bindings/FaultDials';
import type { GroupBy } from './bindings/GroupBy';
import type { NewRollout } from './bindings/NewRollout';
import type { NotificationSubject } from './bindings/NotificationSubject';
import type { RehearsalView } from './bindings/RehearsalView';
import type { SortBy } from './bindings/SortBy';
import type { ViewColumn } from './bindings/ViewColumn';

/** The engine's calls, and what only the window can do. Every promise rejects with a `Failure`. */
export interface Backend extends Calls {
  /** Starts the demo fleet, or returns it if it is running. */
  startDemo(): Promise<ConnectionView>;
  /** The faults of the demo fleet. */
  demoFaults(): Promise<FaultDials>;
  /** Restarts the devices of the demo fleet with these faults, and keeps them for the next start. */
  setDemoFaults(faults: FaultDials): Promise<void>;
  /** Runs a rollout on virtual devices only. Calls back with each change, and resolves to the result. */
  rehearse(rollout: NewRollout, faults: FaultDials, onChange: (view: RehearsalView) => void): Promise<RehearsalView>;
  /** Stops the rehearsal that is running: its promise rejects. */
  stopRehearsal(): Promise<void>;
  about(): Promise<About>;
  /** Shows the data's folder in the system's file manager. */
  openDataFolder(): Promise<void>;
  loadPreferences(): Promise<Preferences>;
  savePreferences(preferences: Preferences): Promise<void>;
  /** Sets the zoom factor of the page; 1 is its normal size. */
  setZoom(factor: number): Promise<void>;
  /** Lets the user choose files; none if cancelled. */
  chooseFiles(title: string): Promise<string[]>;
  /** Lets the user choose where to write a file; nothing if cancelled. */
  chooseSavePath(title: string, name: string): Promise<string | null>;
  /** Calls back with the subject of a notification that was clicked. The promise's function ends it. */
  onNotificationClicked(callback: (subject: NotificationSubject) => void): Promise<() => void>;
  /** Calls back with files that are dragged over the window or dropped on it. The promise's function ends it. */
  onFilesDropped(callback: Dropped): Promise<() => void>;
  /** Calls back instead of closing when the window is to be closed. The promise's function ends that. */
  onCloseRequested(callback: () => void): Promise<() => void>;
  /** Shows the window, which is hidden until the page is drawn. `background` is the page’s own colour, red, green and blue. */
  showWindow(background: readonly number[]): Promise<void>;
  /** Closes the window without confirmation. */
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

/** The property that colours the wall's tiles, unless it is a measurement. */
export type TileColours = 'state' | 'presence';
/** The tabs of the pane below the list of devices. */
export type PaneTab = 'log' | 'charts' | 'traffic';
export type Theme = 'system' | 'light' | 'dark';
export type Density = 'comfortable' | 'compact';

/** How the person likes the window. No secrets, nothing of the fleet. */
export interface Preferences {
  theme: Theme;
  density: Density;
  /** How large everything is: 1 is its usual size. */
  zoom: number;
  /** The height of the pane below the list of devices, pixels. */
  paneHeight: number;
  /** The connection that was shown last. */
  connection: string | null;
  /** The view when the window was closed. */
  view: View | null;
}

/** The current view: the screen, and the filters of fleet and history. */
export interface View {
  screen:
    | 'fleet'
    | 'rollouts'
    | 'log'
    | 'charts'
    | 'history'
    | 'traffic'
    | 'connections'
    | 'commands'
    | 'audit'
    | 'evidence'
    | 'approval'
    | 'settings';
  connection: string | null;
  device: string | null;
  search: string;
  sort: SortBy;
  order: DeviceOrder;
  group: GroupBy | null;
  /** The columns that were chosen; the usual ones where there are none. */
  columns: readonly ViewColumn[] | null;
  /** The id of the saved view that was opened last. */
  savedView: string | null;
  /** The tab of the pane below the list; nothing while it is closed. */
  pane: PaneTab | null;
  /** The devices are shown as tiles instead of rows. */
  wall: boolean;
  /** The property that colours the tiles, unless it is a measurement. */
  tileColours: TileColours;
  /** The measurement that they are coloured by. */
  series: string | null;
  /** From one tile to the next where the wall is zoomed, device pixels. */
  tilePitch: number | null;
  /** The history's filter, by its name. */
  filter: string;
  /** The device that the history is of; of all where empty. */
  ofDevice: string;
}

export const DEFAULT_PREFERENCES: Preferences = {
  theme: 'system',
  density: 'comfortable',
  zoom: 1,
  paneHeight: 280,
  connection: null,
  view: null,
};
