/** Creates the state of the window and provides it to the components. Nothing else knows all of it. */

import { tick } from 'svelte';

import type { Backend } from './backend/backend';
import type { Batch } from './backend/bindings/Batch';
import type { ConnectionView } from './backend/bindings/ConnectionView';
import type { NotificationSubject } from './backend/bindings/NotificationSubject';
import { Cells, setCells } from './features/fleet/cells.svelte';
import { DesiredConfigs, setDesired } from './features/fleet/desired.svelte';
import { Devices, setDevices } from './features/fleet/devices.svelte';
import { Imports, setImports } from './features/fleet/importing.svelte';
import { DeviceLog, setLog } from './features/log/deviceLog.svelte';
import { setSettings, Settings } from './features/settings/engineSettings.svelte';
import { setDeviceTraffic, setTraffic, Traffic } from './features/traffic/liveTraffic.svelte';
import { visibleName } from './format/text';
import { Actions, setActions } from './state/actions.svelte';
import { setBackend } from './state/backend';
import { Catalogue, setCatalogue } from './state/catalogue.svelte';
import { CloseGuard, setCloseGuard } from './state/closeGuard.svelte';
import { CommandComposer, setComposer } from './state/commandComposer.svelte';
import { Connections, setConnections } from './state/connections.svelte';
import { Controls, setControls } from './state/controls';
import { Engine, setEngine } from './state/engine.svelte';
import { failureOf } from './state/failure';
import { Feed, setFeed } from './state/feed';
import { Fleet, setFleet } from './state/fleet.svelte';
import { History, setHistory } from './state/history.svelte';
import { FILTERS, type Filter } from './state/historyFilters';
import { Inspected, setInspected } from './state/inspected.svelte';
import { LowerPane, setLowerPane } from './state/lowerPane.svelte';
import { Notices, setNotices } from './state/notices.svelte';
import { Preferences, setPreferences } from './state/preferences.svelte';
import { Route, setRoute } from './state/route.svelte';
import { Selection, setSelection } from './state/selection.svelte';
import { Sending, setSending } from './state/sending.svelte';
import { Measurements, setChartMeasurements, setRecentMeasurements } from './state/telemetry.svelte';
import { setUndo, Undo } from './state/undo.svelte';
import { keepView } from './state/view.svelte';
import { setViews, Views } from './state/views.svelte';

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
  readonly imports: Imports;
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
  /** The traffic of the inspected device. */
  readonly deviceTraffic: Traffic;
  readonly notices = new Notices();
  readonly undo = new Undo(this.notices);
  readonly route = new Route();
  readonly controls = new Controls();
  readonly pane: LowerPane;
  readonly engine = new Engine();
  readonly actions: Actions;
  readonly closeGuard: CloseGuard;

  constructor(
    readonly backend: Backend,
    readonly feed = new Feed(),
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
    this.imports = new Imports(backend, this.connections, () => this.fleet.refresh());
    this.views = new Views(backend, this.fleet, this.undo);
    this.cells = new Cells(backend);
    this.desired = new DesiredConfigs(backend, this.connections, this.undo, () => {
      this.fleet.refresh();
      this.cells.refresh();
    });
    this.history = new History(backend, this.sending, this.route);
    this.log = new DeviceLog(backend, this.sending);
    this.recent = new Measurements(backend, 60);
    this.charts = new Measurements(backend, 800);
    this.traffic = new Traffic(backend);
    this.deviceTraffic = new Traffic(backend);
    this.pane = new LowerPane(this.preferences, this.route, this.controls);
    this.actions = new Actions(this.sending, this.notices);
    this.closeGuard = new CloseGuard(
      backend,
      this.notices,
      this.catalogue,
      this.composer,
      this.connections,
      this.inspected,
    );
    this.closeGuard.watch();
    this.feed.on((batch) => this.#take(batch));
    void this.#start(backend);
  }

  async #start(backend: Backend): Promise<void> {
    // A setting that cannot be read is no reason to show nothing.
    await this.preferences.load().catch((reason: unknown) => this.notices.reportError(reason));
    try {
      await this.feed.start(backend);
      await this.catalogue.load();
      await this.connections.load();
      keepView(this);
      await backend.onNotificationClicked((subject) => void this.#showNews(subject));
      this.engine.about = await backend.about();
    } catch (reason) {
      this.engine.failure = failureOf(reason);
    }
    await this.#showWindow();
  }

  /** The window is hidden until its first screen is drawn in the right colours. */
  async #showWindow(): Promise<void> {
    await tick();
    const [red = 0, green = 0, blue = 0] = getComputedStyle(document.body).backgroundColor.match(/\d+/g) ?? [];
    const colour = [red, green, blue].map(Number);
    await this.backend.showWindow(colour).catch((reason: unknown) => this.notices.reportError(reason));
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
    const message = `The connection “${visibleName(name)}” was removed.`;
    const instead = current === null ? '' : ` This is “${visibleName(current.name)}”.`;
    // The user who removed it needs no notice.
    this.notices.add([{ level: here ? 'info' : 'warning', message: message + instead, hint: null }]);
  }

  /** Shows what a notification was about: the rollout, the command, unfolded, or those that failed. */
  async #showNews({ connection, command, rollout, bad }: NotificationSubject): Promise<void> {
    this.connections.choose(connection);
    if (rollout !== null) return this.route.go('rollouts', { rollout });
    if (command === null) {
      if (bad) return this.history.showNeedsAttention();
      this.history.list(FILTERS[0] as Filter);
      this.route.go('history');
      return;
    }
    try {
      const [device, id] = command;
      const detail = await this.backend.command(connection, device, id);
      await this.history.reveal(detail.command);
    } catch (reason) {
      this.notices.reportError(reason);
    }
  }
}

/** Provides each piece to the components of the window. A component asks for those that it uses. */
export function provide(app: App): void {
  setActions(app.actions);
  setBackend(app.backend);
  setCatalogue(app.catalogue);
  setCells(app.cells);
  setChartMeasurements(app.charts);
  setCloseGuard(app.closeGuard);
  setComposer(app.composer);
  setConnections(app.connections);
  setControls(app.controls);
  setDesired(app.desired);
  setDevices(app.devices);
  setDeviceTraffic(app.deviceTraffic);
  setEngine(app.engine);
  setFeed(app.feed);
  setFleet(app.fleet);
  setHistory(app.history);
  setImports(app.imports);
  setInspected(app.inspected);
  setLog(app.log);
  setLowerPane(app.pane);
  setNotices(app.notices);
  setPreferences(app.preferences);
  setRecentMeasurements(app.recent);
  setRoute(app.route);
  setSelection(app.selection);
  setSending(app.sending);
  setSettings(app.settings);
  setTraffic(app.traffic);
  setUndo(app.undo);
  setViews(app.views);
}
