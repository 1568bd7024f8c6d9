import { createContext, tick } from 'svelte';

import type { About, Backend } from '../backend/backend';
import type { Batch } from '../backend/bindings/Batch';
import type { CommandButton } from '../backend/bindings/CommandButton';
import type { ConnectionView } from '../backend/bindings/ConnectionView';
import type { Failure } from '../backend/bindings/Failure';
import type { NewsSubject } from '../backend/bindings/NewsSubject';
import { speaksDialect } from '../format/dialects';
import { visible } from '../format/text';
import { Actions } from './actions.svelte';
import { CommandComposer, type Targets } from './commandComposer.svelte';
import { Catalogue } from './catalogue.svelte';
import { Cells } from './cells.svelte';
import { CloseGuard } from './closeGuard.svelte';
import { Connections } from './connections.svelte';
import { DesiredConfigs } from './desired.svelte';
import { Devices } from './devices.svelte';
import { Controls } from './controls';
import { failureOf } from './failure';
import { Feed } from './feed';
import { Fleet } from './fleet.svelte';
import { Importing } from './importing.svelte';
import { History } from './history.svelte';
import { FILTERS, NEEDS_ATTENTION_NOW, type Filter } from './historyFilters';
import { DeviceLog } from './log.svelte';
import { Inspected } from './inspected.svelte';
import { Notices } from './notices.svelte';
import { Preferences } from './preferences.svelte';
import { Measurements } from './telemetry.svelte';
import { Route } from './route.svelte';
import { Selection } from './selection.svelte';
import { Sending } from './sending.svelte';
import { Settings } from './settings.svelte';
import { Traffic } from './traffic.svelte';
import { Undo } from './undo.svelte';
import { Views } from './views.svelte';
import { keepView } from './view.svelte';

/** Everything the window knows. */
export class App {
  readonly preferences: Preferences;
  readonly settings: Settings;
  readonly connections: Connections;
  /** Sends all commands. */
  readonly sending: Sending;
  readonly fleet: Fleet;
  readonly catalogue: Catalogue;
  readonly composer: CommandComposer;
  readonly inspected: Inspected;
  readonly selection: Selection;
  /** Annotations of devices. */
  readonly devices: Devices;
  readonly views: Views;
  /** The configurations that are wanted of devices. */
  readonly desired: DesiredConfigs;
  readonly cells: Cells;
  readonly history: History;
  readonly log: DeviceLog;
  /** The measurements of the inspected device in the last minutes. */
  readonly recent: Measurements;
  readonly charts: Measurements;
  readonly traffic: Traffic;
  readonly notices = new Notices();
  readonly undo = new Undo(this.notices, (reason) => this.reportError(reason));
  readonly route = new Route();
  readonly controls = new Controls();
  readonly actions: Actions;
  readonly closeGuard: CloseGuard;
  readonly feed: Feed;
  /** The import of devices that is open. It is kept here because it continues while another screen is shown. */
  importing = $state.raw<Importing | null>(null);
  about = $state.raw<About | null>(null);
  /** The engine could not be reached at all. */
  failure = $state.raw<Failure | null>(null);

  constructor(
    readonly backend: Backend,
    feed = new Feed(),
  ) {
    this.preferences = new Preferences(backend);
    this.settings = new Settings(backend);
    this.connections = new Connections(backend, this.preferences);
    this.connections.onlost = (lost, here) => this.#lose(lost, here);
    this.sending = new Sending(backend, this.connections);
    this.fleet = new Fleet(backend);
    this.catalogue = new Catalogue(backend);
    this.composer = new CommandComposer(backend, this.catalogue, this.notices, this.sending);
    this.inspected = new Inspected(backend, this.catalogue, this.sending);
    this.selection = new Selection(backend, this.fleet, this.inspected);
    this.devices = new Devices(backend, this.undo, () => {
      this.fleet.refresh();
      this.inspected.refresh();
    });
    this.views = new Views(backend, this.fleet, this.undo);
    this.cells = new Cells(backend);
    this.desired = new DesiredConfigs(backend, this.undo, () => {
      this.fleet.refresh();
      this.cells.refresh();
    });
    this.history = new History(backend, this.sending);
    this.log = new DeviceLog(backend, this.sending);
    this.recent = new Measurements(backend, 60);
    this.charts = new Measurements(backend, 800);
    this.traffic = new Traffic(backend);
    this.actions = new Actions(this);
    this.closeGuard = new CloseGuard(this);
    this.closeGuard.watch();
    this.feed = feed;
    this.feed.on((batch) => this.#take(batch));
    void this.#start(backend);
  }

  async #start(backend: Backend): Promise<void> {
    // A setting that cannot be read is no reason to show nothing.
    await this.preferences.load().catch((reason: unknown) => this.reportError(reason));
    try {
      await this.feed.start(backend);
      await this.catalogue.load();
      await this.connections.load();
      keepView(this);
      await backend.onNotificationClicked((subject) => void this.showNews(subject));
      this.about = await backend.about();
    } catch (reason) {
      this.failure = failureOf(reason);
    }
    await this.#showWindow();
  }

  /** The window is hidden until its first screen is drawn in the right colours. */
  async #showWindow(): Promise<void> {
    await tick();
    const [red = 0, green = 0, blue = 0] = getComputedStyle(document.body).backgroundColor.match(/\d+/g) ?? [];
    await this.backend.showWindow([red, green, blue].map(Number)).catch((reason: unknown) => this.reportError(reason));
  }

  #take(batch: Batch): void {
    this.connections.take(batch);
    this.fleet.take(batch);
    this.inspected.take(batch);
    this.selection.take(batch);
    this.views.take(batch);
    this.desired.take(batch);
    if (batch.devices.length > 0) this.cells.refresh();
    this.history.take(batch);
    this.log.take(batch);
    this.recent.take(batch);
    this.charts.take(batch);
    this.notices.add(batch.notices);
    if (batch.connections) this.notices.keepOf(batch.connections);
  }

  /** The current connection was removed: clears everything that belongs to it. */
  #lose({ name }: ConnectionView, here: boolean): void {
    const { current } = this.connections;
    this.inspected.close();
    this.selection.clear();
    this.composer.leave();
    if (this.route.parameters.has('device')) this.route.go('fleet');
    const message = `The connection “${visible(name)}” was removed.`;
    const instead = current === null ? '' : ` This is “${visible(current.name)}”.`;
    // The user who removed it needs no notice.
    this.notices.add([{ level: here ? 'info' : 'warning', message: message + instead, hint: null }]);
  }

  /** The recipients of a command now: the inspected device, if it belongs to the current connection. */
  get targets(): Targets | null {
    const { connection, device, detail } = this.inspected;
    if (connection === null || device === null || connection !== this.connections.current?.id) return null;
    const offline = detail?.row.device === device && detail.row.presence === 'offline';
    return { connection, devices: [device], offline: offline ? [device] : [] };
  }

  /** Opens *Command…*. Where devices speak text, a text is what one begins with. */
  ask(): void {
    const { targets } = this;
    if (targets === null) return;
    const text = speaksDialect(this.connections.current?.dialects ?? [], 'text');
    this.composer.open(targets, text ? { kind: 'text' } : null);
  }

  /** Sends a button's command to the current recipients. */
  async press(button: CommandButton): Promise<void> {
    const { targets } = this;
    if (targets === null) return;
    try {
      await this.composer.press(targets, button);
    } catch (reason) {
      this.reportError(reason);
    }
  }

  /** Opens the import of devices for the connection that is shown, or the one that is still open. */
  beginImport(): void {
    const connection = this.connections.current?.id;
    if (connection === undefined) return;
    this.importing ??= new Importing(this.backend, connection, () => this.fleet.refresh());
  }

  /** Opens the configurations that are wanted of the devices of the connection that is shown. */
  openDesired(): void {
    const connection = this.connections.current?.id;
    if (connection !== undefined) this.desired.open(connection);
  }

  /** Shows the commands that the status bar counts as needing attention. */
  showNeedsAttention(): void {
    this.history.list(NEEDS_ATTENTION_NOW);
    this.route.go('history');
  }

  /** Shows what a notification was about: the command, unfolded, or those that failed. */
  async showNews({ connection, command, bad }: NewsSubject): Promise<void> {
    const go = () => this.route.go('history');
    this.connections.choose(connection);
    if (command === null) {
      this.history.list(bad ? NEEDS_ATTENTION_NOW : (FILTERS[0] as Filter));
      go();
      return;
    }
    try {
      const [device, id] = command;
      const detail = await this.backend.command(connection, device, id);
      await this.history.reveal(detail.command, go);
    } catch (reason) {
      this.reportError(reason);
    }
  }

  /** Says what went wrong where no control is there to say it. */
  reportError(reason: unknown): void {
    const { message, hint } = failureOf(reason);
    this.notices.add([{ level: 'warning', message, hint }]);
  }
}

export const [getApp, setApp] = createContext<App>();
