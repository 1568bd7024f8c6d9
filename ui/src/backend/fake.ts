/**
 * The engine's stand-in for a plain browser: an invented fleet that answers by itself. Nothing leaves the page and
 * nothing is kept.
 */

import { DEFAULT_PREFERENCES, type About, type Backend, type Dropped, type Preferences } from './backend';
import type { Batch } from './bindings/Batch';
import type { CatalogueEntry } from './bindings/CatalogueEntry';
import type { CommandButton } from './bindings/CommandButton';
import type { CommandDefinition } from './bindings/CommandDefinition';
import type { CommandDetail } from './bindings/CommandDetail';
import type { CommandRef } from './bindings/CommandRef';
import type { CommandPreview } from './bindings/CommandPreview';
import type { CommandToPreview } from './bindings/CommandToPreview';
import type { CountedView } from './bindings/CountedView';
import type { DesiredConfig } from './bindings/DesiredConfig';
import type { DesiredFor } from './bindings/DesiredFor';
import type { DesiredView } from './bindings/DesiredView';
import type { DeviceCells } from './bindings/DeviceCells';
import type { SavedView } from './bindings/SavedView';
import type { ViewColumn } from './bindings/ViewColumn';
import type { CommandView } from './bindings/CommandView';
import type { ConnectionEntry } from './bindings/ConnectionEntry';
import type { ConnectionView } from './bindings/ConnectionView';
import type { DeviceExport } from './bindings/DeviceExport';
import type { DeviceImport } from './bindings/DeviceImport';
import type { DeviceColumns } from './bindings/DeviceColumns';
import type { DeviceRow } from './bindings/DeviceRow';
import type { DeviceSummary } from './bindings/DeviceSummary';
import type { CommandCheck } from './bindings/CommandCheck';
import type { DialectDraft } from './bindings/DialectDraft';
import type { DraftSource } from './bindings/DraftSource';
import type { OwnDialect } from './bindings/OwnDialect';
import type { SampleMessage } from './bindings/SampleMessage';
import type { DialectView } from './bindings/DialectView';
import type { FoundDialect } from './bindings/FoundDialect';
import type { DeviceStates } from './bindings/DeviceStates';
import type { DeviceDetail } from './bindings/DeviceDetail';
import type { DevicePage } from './bindings/DevicePage';
import type { DeviceQuery } from './bindings/DeviceQuery';
import type { ExportFormat } from './bindings/ExportFormat';
import type { ExportView } from './bindings/ExportView';
import type { FileToWrite } from './bindings/FileToWrite';
import type { FilesToRead } from './bindings/FilesToRead';
import type { ForgottenDevices } from './bindings/ForgottenDevices';
import type { HistoryPage } from './bindings/HistoryPage';
import type { HistoryQuery } from './bindings/HistoryQuery';
import type { ImportLine } from './bindings/ImportLine';
import type { Imported } from './bindings/Imported';
import type { KeptLog } from './bindings/KeptLog';
import type { KitView } from './bindings/KitView';
import type { LogView } from './bindings/LogView';
import type { NewCommand } from './bindings/NewCommand';
import type { NewDevice } from './bindings/NewDevice';
import type { NewsSubject } from './bindings/NewsSubject';
import type { Notice } from './bindings/Notice';
import type { Older } from './bindings/Older';
import type { PreflightView } from './bindings/PreflightView';
import type { PresetView } from './bindings/PresetView';
import type { TelemetryQuery } from './bindings/TelemetryQuery';
import type { TelemetryView } from './bindings/TelemetryView';
import type { TimesQuery } from './bindings/TimesQuery';
import type { TimesView } from './bindings/TimesView';
import type { SearchReading } from './bindings/SearchReading';
import type { MemberPage } from './bindings/MemberPage';
import type { MemberQuery } from './bindings/MemberQuery';
import type { NewRollout } from './bindings/NewRollout';
import type { ReportFormat } from './bindings/ReportFormat';
import type { ReportedKey } from './bindings/ReportedKey';
import type { RolloutAction } from './bindings/RolloutAction';
import type { RolloutDetail } from './bindings/RolloutDetail';
import type { RolloutPlan } from './bindings/RolloutPlan';
import type { RolloutView } from './bindings/RolloutView';
import type { Sent } from './bindings/Sent';
import type { Settings } from './bindings/Settings';
import type { Step as PreflightStep } from './bindings/Step';
import type { TrafficBatch } from './bindings/TrafficBatch';
import type { TrafficQuery } from './bindings/TrafficQuery';
import { PRESENCES } from '../format/states';
import { FakeAnnotations } from './fake/annotations';
import { FakeCatalogue } from './fake/catalogue';
import { FakeDeviceFiles } from './fake/deviceFiles';
import { FakeConnections, view } from './fake/connections';
import { affect, changed, countsOf, isBad } from './fake/course';
import { detailOf, stray } from './fake/evidence';
import { describeLamp, DIALECTS } from './fake/dialects';
import { FakeDrafts, PUMP_MESSAGES } from './fake/drafts';
import { FakeExport } from './fake/export';
import { failure, wait } from './fake/failure';
import { fate, UNANSWERED, type Step } from './fake/fate';
import { FakeColumns, select, stateCode, summaryOf } from './fake/columns';
import { makeFleet, type FakeDevice } from './fake/fleet';
import { measurements } from './fake/telemetry';
import { FakeLogs } from './fake/logs';
import { FakeKits } from './fake/kits';
import { blank, makePast, newId } from './fake/past';
import { FakePreflight } from './fake/preflight';
import { PRESETS } from './fake/presets';
import { random } from './fake/random';
import { countsOfFleet, reading } from './fake/search';
import { rolloutFate } from './fake/rolloutFate';
import { FakeDesired } from './fake/desired';
import { FakeRollouts } from './fake/rollouts';
import { daysAgo, FakeSettings } from './fake/settings';
import { timesOf } from './fake/times';
import { FakeTraffic } from './fake/traffic';
import { cellsOf, FakeViews } from './fake/views';
import { objectFrom, toJson } from '../format/json';

export interface FakeOptions {
  /** Devices of the demo fleet. */
  devices?: number;
  /** Commands it has already answered. */
  past?: number;
  /** Milliseconds that starting the demo fleet takes. */
  startup?: number;
  /** Whether other consoles command the fleet meanwhile. */
  chatter?: boolean;
  /** What becomes of the next commands, instead of a random fate. */
  fates?: Step[][];
  /** Whether there is a keyring for secrets. */
  keyring?: boolean;
  /** Milliseconds a step of a preflight, or a page of an export. */
  pace?: number;
  /** Connections that are there from the start. */
  connections?: ConnectionView[];
  /** Whether one of the devices is a lamp behind a Zigbee2MQTT bridge. */
  lamp?: boolean;
  /** How many times as fast as the clock rollouts run. */
  rolloutSpeed?: number;
}

const BATCH_EVERY = 60;

export class Fake implements Backend {
  readonly #options: Required<Omit<FakeOptions, 'fates'>> & { fates: Step[][] };
  readonly #next = random(42);
  readonly #listeners = new Set<(batch: Batch) => void>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #drafts = new FakeDrafts();
  readonly #connections: FakeConnections;
  readonly #kits = new FakeKits();
  readonly #logs = new FakeLogs();
  readonly #preflight: FakePreflight;
  readonly #export: FakeExport;
  readonly #deviceFiles: FakeDeviceFiles;
  readonly #settings = new FakeSettings();
  readonly #catalogue = new FakeCatalogue();
  readonly #traffic = new FakeTraffic();
  readonly #columns = new FakeColumns();
  readonly #savedViews = new FakeViews();
  readonly #desired = new FakeDesired(
    (connection) => this.#of(connection),
    (connection) => this.#savedViews.of(connection),
  );
  readonly #annotations = new FakeAnnotations({
    find: (device) => this.#byId.get(device),
    add: (device) => {
      this.#byId.set(device.row.device, device);
      this.#fleet = [...this.#fleet, device];
    },
    remove: (device) => {
      this.#byId.delete(device);
      this.#fleet = this.#fleet.filter(({ row }) => row.device !== device);
    },
    isBusy: (device) => this.#commands.some((command) => command.device === device && !command.final),
    changed: (device) => this.#changedDevices.set(device, ['demo', device]),
  });
  readonly #rollouts: FakeRollouts;
  /** Who follows a command on its way, by its id. */
  readonly #followers = new Map<string, (command: CommandView) => void>();
  #changedRollouts = new Map<string, RolloutView>();
  readonly #dropped = new Set<Dropped>();
  readonly #newsAsked = new Set<(subject: NewsSubject) => void>();
  readonly #closing = new Set<() => void>();
  /** The window has been closed. A browser's stays where it is. */
  closed = false;
  #fleet: FakeDevice[] = [];
  #byId = new Map<string, FakeDevice>();
  #commands: CommandView[] = [];
  readonly #dismissed = new Set<string>();
  #sequence = 0;
  #changed = new Map<string, CommandView>();
  #changedDevices = new Map<string, [string, string]>();
  #notices: Notice[] = [];
  #due = false;
  #preferences: Preferences = DEFAULT_PREFERENCES;

  constructor(options: FakeOptions = {}) {
    this.#options = {
      devices: 2_000,
      past: 5_000,
      startup: 900,
      chatter: false,
      fates: [],
      keyring: true,
      pace: 260,
      connections: [],
      rolloutSpeed: 1,
      lamp: false,
      ...options,
    };
    this.#connections = new FakeConnections(this.#options.keyring);
    this.#connections.list = [...this.#options.connections];
    this.#preflight = new FakePreflight(this.#options.pace);
    this.#export = new FakeExport(this.#options.pace);
    this.#deviceFiles = new FakeDeviceFiles(this.#options.pace, (device) => this.#byId.has(device));
    this.#rollouts = this.#makeRollouts();
  }

  async connections(): Promise<ConnectionView[]> {
    return this.#views();
  }

  async startDemo(): Promise<ConnectionView> {
    const running = this.#connections.list.find((connection) => connection.demo);
    if (running) return running;
    await wait(this.#options.startup);
    const now = Date.now();
    const demo = view({ id: 'demo', name: 'Demo fleet', url: 'mqtt://127.0.0.1:41883', demo: true });
    demo.link = { state: 'online', since: now };
    demo.round_trip_ms = 0.4;
    this.#fleet = makeFleet(demo.id, this.#options.devices, now);
    const first = this.#fleet[0];
    if (this.#options.lamp && first) describeLamp(first);
    this.#byId = new Map(this.#fleet.map((device) => [device.row.device, device]));
    this.#commands = makePast(this.#fleet, this.#options.past, now);
    this.#connections.list.push(demo);
    this.#touch();
    setInterval(() => {
      demo.round_trip_ms = 0.3 + this.#next() * 0.4;
      demo.in_per_second = this.#options.devices * (0.8 + this.#next() * 0.05);
      this.#touch();
    }, 1_000);
    if (this.#options.chatter) setInterval(() => this.#chat(), 2_500);
    return demo;
  }

  async presets(): Promise<PresetView[]> {
    return PRESETS;
  }

  async findDialects(): Promise<FoundDialect[]> {
    await wait(this.#options.pace);
    return [{ name: 'shelly', title: 'Shelly', devices: 3, examples: ['Attic', 'Hall', 'Porch'] }];
  }

  async enableDialects(connection: string, names: string[]): Promise<ConnectionView> {
    await wait(20);
    const view = this.#connections.enable(connection, names);
    this.#touch();
    return view;
  }

  async declineDialects(connection: string, names: string[]): Promise<void> {
    this.#connections.decline(connection, names);
    this.#touch();
  }

  async subscribe(): Promise<void> {
    await wait(this.#options.pace);
  }

  async unsubscribe(): Promise<void> {}

  async draftDialect(source: DraftSource, messages: SampleMessage[]): Promise<DialectDraft> {
    await wait(5);
    return this.#drafts.draft(source, messages);
  }

  async ownDialects(connection: string): Promise<OwnDialect[]> {
    return this.#connections.ownDialects(connection);
  }

  async saveDialect(
    connection: string,
    text: string,
    replaces: string | null,
    enable: boolean,
  ): Promise<ConnectionView> {
    const view = this.#connections.saveDialect(connection, text, replaces, enable);
    this.#touch();
    return view;
  }

  async removeDialect(connection: string, name: string): Promise<ConnectionView> {
    const view = this.#connections.removeDialect(connection, name);
    this.#touch();
    return view;
  }

  async exportDialect(_connection: string, _name: string, to: FileToWrite): Promise<string> {
    return to.path;
  }

  async readDialect(): Promise<string> {
    return (await this.draftDialect({ from: 'new' }, [])).text;
  }

  async dialects(): Promise<DialectView[]> {
    return DIALECTS;
  }

  async saveConnection(entry: ConnectionEntry): Promise<ConnectionView> {
    await wait(20);
    const saved = this.#connections.save(entry, entry.kit === null ? null : this.#kits.view(entry.kit));
    if (entry.kit !== null) this.#kits.forget(entry.kit);
    this.#touch();
    return saved;
  }

  async duplicateConnection(id: string): Promise<ConnectionView> {
    const copy = this.#connections.duplicate(id);
    this.#touch();
    return copy;
  }

  async orderConnections(ids: string[]): Promise<void> {
    this.#connections.order(ids);
    this.#touch();
  }

  async renewCertificate(id: string, kit: string): Promise<ConnectionView> {
    const renewed = this.#connections.renew(id, this.#kits.view(kit));
    this.#kits.forget(kit);
    this.#touch();
    return renewed;
  }

  async removeConnection(id: string): Promise<void> {
    this.#connections.remove(id);
    this.#touch();
  }

  async exportConnections(ids: string[], to: FileToWrite, passphrase: string | null): Promise<string> {
    this.#connections.export(ids, this.#export.check(to), passphrase);
    return this.#export.wrote(to);
  }

  async importConnections(path: string, passphrase: string | null, withoutKeyring: boolean): Promise<Imported> {
    await wait(20);
    const imported = this.#connections.import(path, passphrase, withoutKeyring);
    this.#touch();
    return imported;
  }

  async readFiles(files: FilesToRead): Promise<KitView> {
    await wait(20);
    return this.#kits.read(files);
  }

  async leaveOut(kit: string, item: number): Promise<KitView> {
    return this.#kits.leaveOut(kit, item);
  }

  async forgetKit(kit: string): Promise<void> {
    this.#kits.forget(kit);
  }

  preflight(
    entry: ConnectionEntry,
    from: PreflightStep | null,
    onView: (view: PreflightView) => void,
  ): Promise<PreflightView> {
    return this.#preflight.run(entry, from, onView);
  }

  async stopPreflight(): Promise<void> {
    this.#preflight.stop();
  }

  async devices(query: DeviceQuery, from: number, count: number): Promise<DevicePage> {
    const fleet = this.#of(query.connection);
    const rows = select(fleet, query);
    return { rows: rows.slice(from, from + count), from, matching: rows.length, total: fleet.length };
  }

  async deviceColumns(query: DeviceQuery, known: number | null, series: string | null): Promise<DeviceColumns> {
    return this.#columns.of(this.#of(query.connection), query, known, series);
  }

  async deviceRows(connection: string, devices: string[]): Promise<DeviceRow[]> {
    const fleet = this.#of(connection).length > 0 ? this.#byId : new Map<string, FakeDevice>();
    return devices.flatMap((id) => fleet.get(id)?.row ?? []);
  }

  async compareDevices(_connection: string, devices: string[]): Promise<DeviceSummary> {
    return summaryOf(devices.flatMap((id) => this.#byId.get(id) ?? []));
  }

  async readSearch(connection: string, text: string, caret: number): Promise<SearchReading> {
    return reading(text, caret, countsOfFleet(this.#of(connection).map(({ row }) => row)));
  }

  async device(connection: string, device: string): Promise<DeviceDetail> {
    const found = this.#find(connection, device);
    const commands = this.#commands.filter((command) => command.device === device);
    return {
      row: found.row,
      note: found.note,
      reported_at: found.reportedAt,
      running_config: found.running && toJson(found.running),
      saved_config: found.saved && toJson(found.saved),
      telemetry_interval_ms: this.#interval(device),
      commands: commands.slice(0, 8),
      command_count: commands.length,
      strays: found.row.device.endsWith('1') ? [stray(device)] : [],
      described: found.described,
    };
  }

  async answerTimes(query: TimesQuery): Promise<TimesView[]> {
    return timesOf(
      this.#commands.filter(({ connection }) => connection === query.connection),
      query,
      (device) => this.#byId.get(device)?.row.firmware ?? null,
    );
  }

  async send(command: NewCommand): Promise<Sent> {
    const kind = this.#catalogue.find(command.connection, command.command);
    const answered = kind?.answer_expected ?? true;
    const delivery = command.delivery ?? (kind?.dangerous ? 'now' : 'hold_here');
    const ids = command.devices.map((id) => {
      const device = this.#find(command.connection, id);
      const asked = blank(device, newId(Date.now(), this.#next), command.command, command.args, Date.now());
      const view = { ...asked, again_of: command.again_of };
      const held = device.row.presence === 'offline' && delivery === 'hold_here';
      this.#begin(
        held ? { ...view, state: 'held', deadline: view.queued_at + 60_000 } : view,
        device,
        command.no_answer || !answered,
      );
      return view.id;
    });
    return { ids };
  }

  async dismiss(_connection: string, command: CommandRef | null): Promise<void> {
    const seen = this.#commands.filter(({ id, state }) => isBad(state) && (command === null || command.id === id));
    for (const { id } of seen) this.#dismissed.add(id);
  }

  async checkCommand(command: NewCommand): Promise<CommandCheck[]> {
    return command.devices
      .map((id) => this.#find(command.connection, id))
      .flatMap(({ row, described }) => {
        const own = described?.commands.find(({ name }) => name === command.command);
        if (own === undefined || own.reports_back) return [];
        const silent = 'Its discovery names no state topic, so it cannot report back.';
        return [{ device: row.device, name: row.name, already: null, silent, refused: null }];
      });
  }

  async sendAgain(connection: string, device: string, id: string): Promise<Sent> {
    const { command } = await this.command(connection, device, id);
    return this.send({
      connection,
      devices: [device],
      command: command.command,
      args: command.args,
      timeout_ms: null,
      ttl_ms: null,
      retries: null,
      delivery: null,
      no_answer: command.state === 'unconfirmed',
      again_of: id,
    });
  }

  async planRollout(rollout: NewRollout): Promise<RolloutPlan> {
    return this.#rollouts.plan(rollout);
  }

  async startRollout(rollout: NewRollout): Promise<RolloutView> {
    return this.#rollouts.start(rollout);
  }

  async rollouts(): Promise<RolloutView[]> {
    return this.#rollouts.list;
  }

  async rollout(id: string): Promise<RolloutDetail> {
    return this.#rollouts.detail(id);
  }

  async rolloutMembers(query: MemberQuery, from: number, count: number): Promise<MemberPage> {
    return this.#rollouts.members(query, from, count);
  }

  async actOnRollout(id: string, action: RolloutAction): Promise<RolloutView> {
    return this.#rollouts.act(id, action);
  }

  async noteRollout(id: string, note: string | null): Promise<RolloutView> {
    return this.#rollouts.note(id, note);
  }

  async exportRollout(query: MemberQuery, to: FileToWrite, format: ReportFormat): Promise<string> {
    // A report is of the whole rollout.
    this.#rollouts.members(format === 'csv' || format === 'json' ? query : { ...query, states: [] }, 0, 1);
    return this.#export.wrote(to);
  }

  async cancel(_connection: string, _device: string, id: string): Promise<void> {
    const command = this.#commands.find((other) => other.id === id);
    if (!command || command.final) return;
    clearTimeout(this.#timers.get(id));
    const withdrawn = command.state === 'queued' || command.state === 'held';
    const message = withdrawn ? null : 'Waiting was stopped. The broker has it; the device may still run it.';
    this.#apply(command, { state: withdrawn ? 'cancelled' : 'timed_out', message });
  }

  async history(query: HistoryQuery): Promise<HistoryPage> {
    const matching = this.#matching(query);
    const from = query.cursor === null ? 0 : matching.findIndex((command) => command.id === query.cursor) + 1;
    const commands = matching.slice(from, from + query.limit);
    const more = from + query.limit < matching.length;
    return {
      commands,
      next: more ? (commands.at(-1)?.id ?? null) : null,
      total: this.#commands.length,
      matching: matching.length,
    };
  }

  async command(_connection: string, _device: string, id: string): Promise<CommandDetail> {
    const command = this.#commands.find((other) => other.id === id);
    if (!command) throw failure('not_found', 'There is no such command in the history.', null);
    return detailOf(command);
  }

  exportHistory(
    query: HistoryQuery,
    to: FileToWrite,
    _format: ExportFormat,
    onView: (view: ExportView) => void,
  ): Promise<ExportView> {
    return this.#export.run(this.#matching(query).length, to, onView);
  }

  async stopExport(): Promise<void> {
    this.#export.stop();
  }

  async telemetry(query: TelemetryQuery): Promise<TelemetryView> {
    return measurements(query, this.#interval(query.device), Date.now());
  }

  async logs(_connection: string, device: string): Promise<KeptLog[]> {
    return this.#logs.kept(this.#commands.filter((command) => command.device === device));
  }

  async log(_connection: string, _device: string, id: string, withText: boolean): Promise<LogView> {
    return this.#logs.view(this.#commands.find((command) => command.id === id) ?? null, withText);
  }

  async saveLog(_connection: string, _device: string, _id: string, to: FileToWrite): Promise<string> {
    return this.#export.wrote(to);
  }

  async addDevices(connection: string, devices: NewDevice[]): Promise<string[]> {
    const added = this.#annotations.add(connection, devices);
    this.#touch();
    return added;
  }

  async nameDevice(connection: string, device: string, name: string | null): Promise<void> {
    this.#annotations.name(this.#find(connection, device), name);
    this.#touch();
  }

  async noteDevice(connection: string, device: string, note: string | null): Promise<void> {
    this.#annotations.note(this.#find(connection, device), note);
    this.#touch();
  }

  async tagDevices(_connection: string, devices: string[], tag: string): Promise<string[]> {
    const tagged = this.#annotations.tag(devices, tag);
    this.#touch();
    return tagged;
  }

  async untagDevices(_connection: string, devices: string[], tag: string): Promise<string[]> {
    const untagged = this.#annotations.untag(devices, tag);
    this.#touch();
    return untagged;
  }

  async forgetDevices(_connection: string, devices: string[]): Promise<ForgottenDevices> {
    const forgotten = this.#annotations.forget(devices);
    this.#touch();
    return forgotten;
  }

  readDeviceFile(_connection: string, path: string, onView: (view: DeviceImport) => void): Promise<DeviceImport> {
    return this.#deviceFiles.read(path, () => undefined, onView);
  }

  importDevices(connection: string, path: string, onView: (view: DeviceImport) => void): Promise<DeviceImport> {
    const take = (devices: NewDevice[]) => {
      this.#annotations.add(connection, devices);
      this.#touch();
    };
    return this.#deviceFiles.read(path, take, onView);
  }

  async stopDeviceImport(): Promise<void> {
    this.#deviceFiles.stop();
  }

  async exportDevices(query: DeviceQuery, to: FileToWrite): Promise<DeviceExport> {
    return { path: this.#export.wrote(to), devices: select(this.#of(query.connection), query).length };
  }

  async views(connection: string): Promise<CountedView[]> {
    const fleet = this.#of(connection);
    return this.#savedViews.list(connection, (view) => select(fleet, view).length);
  }

  async saveView(view: SavedView): Promise<SavedView> {
    return this.#savedViews.save(view);
  }

  async desired(connection: string): Promise<DesiredView[]> {
    return this.#desired.list(connection);
  }

  async saveDesired(desired: DesiredConfig): Promise<DesiredView> {
    return this.#desired.save(desired);
  }

  async clearDesired(connection: string, target: DesiredFor): Promise<DesiredConfig> {
    return this.#desired.clear(connection, target);
  }

  async reportedKeys(connection: string, search: string): Promise<ReportedKey[]> {
    return this.#desired.keys(connection, search);
  }

  async removeView(id: string): Promise<void> {
    if (this.#desired.isForView(id))
      throw failure(
        'invalid',
        "A configuration is wanted of this view's devices.",
        'Clear it first: without the view it would apply to no device.',
      );
    this.#savedViews.remove(id);
  }

  async deviceCells(_connection: string, devices: string[], columns: ViewColumn[]): Promise<DeviceCells[]> {
    return cellsOf(
      devices.flatMap((id) => this.#byId.get(id) ?? []),
      columns,
    );
  }

  async restoreDevices(_connection: string, devices: string[]): Promise<string[]> {
    const restored = this.#annotations.restore(devices);
    this.#touch();
    return restored;
  }

  async forgetLog(_connection: string, _device: string, id: string): Promise<void> {
    this.#logs.forget(id);
  }

  async catalogue(): Promise<CatalogueEntry[]> {
    return this.#catalogue.entries();
  }

  async saveDefinition(id: string | null, definition: CommandDefinition): Promise<CatalogueEntry> {
    return this.#catalogue.save(id, definition);
  }

  async removeDefinition(id: string): Promise<void> {
    this.#catalogue.remove(id);
  }

  async previewCommand(command: CommandToPreview): Promise<CommandPreview> {
    return this.#catalogue.preview(command);
  }

  async readCatalogue(path: string): Promise<ImportLine[]> {
    return this.#catalogue.read(path);
  }

  async importCatalogue(path: string, replace: string[]): Promise<ImportLine[]> {
    return this.#catalogue.import(path, replace);
  }

  async exportCatalogue(ids: string[], to: FileToWrite): Promise<string> {
    this.#catalogue.export(ids);
    return this.#export.wrote(to);
  }

  async buttons(): Promise<CommandButton[]> {
    return this.#catalogue.buttons();
  }

  async saveButton(button: CommandButton): Promise<CommandButton> {
    return this.#catalogue.saveButton(button);
  }

  async orderButtons(ids: string[]): Promise<void> {
    this.#catalogue.orderButtons(ids);
  }

  async removeButton(id: string): Promise<void> {
    this.#catalogue.removeButton(id);
  }

  async listen(onBatch: (batch: Batch) => void): Promise<() => void> {
    this.#listeners.add(onBatch);
    return () => this.#listeners.delete(onBatch);
  }

  async about(): Promise<About> {
    return { version: '0.1.0', data_dir: '(in this browser: nothing is kept)' };
  }

  async traffic(query: TrafficQuery, onBatch: (batch: TrafficBatch) => void): Promise<() => void> {
    if (query.filter === '#') this.#traffic.tell(PUMP_MESSAGES, onBatch);
    return this.#traffic.watch(query, () => this.#of(query.connection), this.#next, onBatch);
  }

  async settings(): Promise<Settings> {
    return this.#settings.kept;
  }

  async changeSettings(settings: Settings): Promise<void> {
    this.#settings.change(settings);
  }

  async countOlder(days: number): Promise<Older> {
    return { commands: this.#older(days).length, strays: 0, logs: 0 };
  }

  async forgetOlder(days: number): Promise<Older> {
    const counted = await this.countOlder(days);
    const older = new Set(this.#older(days));
    this.#commands = this.#commands.filter((command) => !older.has(command));
    this.#touch();
    return counted;
  }

  async dataSize(): Promise<number> {
    return 40_000 + this.#commands.length * 1_900;
  }

  async openDataFolder(): Promise<void> {
    throw failure('internal', 'A browser opens no folders.', 'Start the app for that.');
  }

  async loadPreferences(): Promise<Preferences> {
    return this.#preferences;
  }

  async savePreferences(preferences: Preferences): Promise<void> {
    this.#preferences = preferences;
  }

  async setZoom(factor: number): Promise<void> {
    document.documentElement.style.setProperty('zoom', factor === 1 ? '' : String(factor));
  }

  async chooseFiles(): Promise<string[]> {
    return ['/home/you/Downloads/kit.zip'];
  }

  async chooseSavePath(_title: string, name: string): Promise<string | null> {
    return `/home/you/${name}`;
  }

  async onNewsAsked(callback: (subject: NewsSubject) => void): Promise<() => void> {
    this.#newsAsked.add(callback);
    return () => this.#newsAsked.delete(callback);
  }

  /** As if a notification had been clicked. */
  askNews(subject: NewsSubject): void {
    for (const callback of this.#newsAsked) callback(subject);
  }

  async onFilesDropped(callback: Dropped): Promise<() => void> {
    this.#dropped.add(callback);
    return () => this.#dropped.delete(callback);
  }

  async onCloseRequested(callback: () => void): Promise<() => void> {
    this.#closing.add(callback);
    return () => this.#closing.delete(callback);
  }

  async closeWindow(): Promise<void> {
    this.closed = true;
  }

  /** Wants the window closed, as the button in its title bar does. */
  requestClose(): void {
    this.closed = this.#closing.size === 0;
    for (const callback of this.#closing) callback();
  }

  /** Drops files on the window, as a person would. */
  dropFiles(paths: string[]): void {
    for (const callback of this.#dropped) callback.drop(paths);
  }

  /** Says something, as the engine would. */
  notify(notice: Omit<Notice, 'connection'> & Partial<Notice>): void {
    this.#notices.push({ connection: null, ...notice });
    this.#touch();
  }

  /** Lets so many days pass since what is in the history. */
  age(days: number): void {
    const older = (at: number | null) => (at === null ? null : at - days * 86_400_000);
    this.#commands = this.#commands.map((command) => ({
      ...command,
      queued_at: command.queued_at - days * 86_400_000,
      changed_at: command.changed_at - days * 86_400_000,
      finished_at: older(command.finished_at),
    }));
  }

  /** Changes how a connection stands, as the network would. */
  setLink(id: string, link: ConnectionView['link']): void {
    const connection = this.#connections.list.find((other) => other.id === id);
    if (connection) connection.link = link;
    this.#touch();
  }

  #older(days: number): CommandView[] {
    const before = daysAgo(days, Date.now());
    return this.#commands.filter((command) => command.final && command.changed_at < before);
  }

  /** As it was last asked to, and said that it does. */
  #interval(device: string): number {
    const set = this.#commands.find(
      (one) => one.device === device && one.command === 'telemetry.set' && one.state === 'succeeded',
    );
    const interval = set && objectFrom(set.args)['interval_ms'];
    return typeof interval === 'number' ? interval : 5_000;
  }

  #matching(query: HistoryQuery): CommandView[] {
    return this.#commands.filter(
      (command) =>
        (query.connection === null || command.connection === query.connection) &&
        (query.device === null || command.device === query.device) &&
        (query.states.length === 0 || query.states.includes(command.state)) &&
        (query.since === null || command.queued_at >= query.since) &&
        (!query.undismissed || !this.#dismissed.has(command.id)),
    );
  }

  #chat(): void {
    const device = this.#fleet[Math.floor(this.#next() * this.#fleet.length)];
    if (!device || device.row.presence !== 'online') return;
    const on = this.#next() > 0.5;
    const view = blank(device, newId(Date.now(), this.#next), 'led', toJson({ on }), Date.now());
    this.#begin({ ...view, by: 'another console' }, device);
  }

  #makeRollouts(): FakeRollouts {
    const { rolloutSpeed } = this.#options;
    const find = (connection: string, search: string) => {
      const rows = select(this.#of(connection), {
        connection,
        search,
        sort: 'device',
        order: 'ascending',
        group: null,
      });
      return rows.map(({ device }) => this.#find(connection, device));
    };
    return new FakeRollouts(
      {
        fleet: (connection) => this.#of(connection),
        search: find,
        send: (device, { spec }, onChange) => {
          const view = blank(device, newId(Date.now(), this.#next), spec.command.name, spec.command.args, Date.now());
          const steps = rolloutFate(view, device, this.#next);
          const fast = steps.map((step) => ({ ...step, after: step.after / rolloutSpeed }));
          this.#followers.set(view.id, onChange);
          this.#begin(view, device, spec.command.no_answer, spec.command.no_answer ? UNANSWERED : fast);
          return view.id;
        },
        cancel: (connection, device, id) => void this.cancel(connection, device, id),
        isDangerous: (connection, command) => this.#catalogue.find(connection, command)?.dangerous ?? false,
        say: (rollout) => {
          this.#changedRollouts.set(rollout.id, rollout);
          this.#touch();
        },
        newId: () => newId(Date.now(), this.#next),
      },
      rolloutSpeed,
    );
  }

  #begin(command: CommandView, device: FakeDevice, noAnswer = false, course: Step[] | null = null): void {
    this.#commands = [command, ...this.#commands];
    device.commandCount += 1;
    device.row = { ...device.row, last_command: command };
    this.#say(command);
    const steps =
      course !== null
        ? course
        : command.state === 'held'
          ? [{ after: 60_000, change: { state: 'expired' } }]
          : (this.#options.fates.shift() ?? (noAnswer ? UNANSWERED : fate(command, device, this.#next)));
    this.#follow(command.id, device, steps);
  }

  #follow(id: string, device: FakeDevice, [step, ...rest]: Step[]): void {
    if (!step) return;
    const timer = setTimeout(() => {
      const command = this.#commands.find((other) => other.id === id);
      if (!command) return;
      affect(step.effect, device, command, this.#next);
      this.#apply(command, step.change);
      this.#follow(id, device, rest);
    }, step.after);
    this.#timers.set(id, timer);
  }

  #apply(command: CommandView, change: Partial<CommandView>): void {
    const now = Date.now();
    const moved = changed(command, change, now);
    this.#commands = this.#commands.map((other) => (other.id === moved.id ? moved : other));
    const device = this.#find(moved.connection, moved.device);
    if (device.row.last_command?.id === moved.id) device.row = { ...device.row, last_command: moved };
    this.#followers.get(moved.id)?.(moved);
    if (moved.accepted_at === now) device.row = { ...device.row, seen_at: now, trip_ms: now - (moved.sent_at ?? now) };
    this.#say(moved);
  }

  #of(connection: string): FakeDevice[] {
    return connection === 'demo' ? this.#fleet : [];
  }

  #find(connection: string, device: string): FakeDevice {
    const found = this.#of(connection).length > 0 ? this.#byId.get(device) : undefined;
    if (!found) throw failure('not_found', `There is no device called “${device}”.`, null);
    return found;
  }

  #views(): ConnectionView[] {
    return this.#connections.list.map((connection) => {
      if (!connection.demo) return { ...connection };
      const online = this.#fleet.filter((device) => device.row.presence === 'online').length;
      return { ...connection, devices: this.#fleet.length, online, counts: countsOf(this.#commands, this.#dismissed) };
    });
  }

  #say(command: CommandView): void {
    this.#changed.set(command.id, command);
    this.#changedDevices.set(command.device, [command.connection, command.device]);
    this.#touch();
  }

  #states(): DeviceStates[] {
    const rows = [...this.#changedDevices.keys()].flatMap((id) => this.#byId.get(id)?.row ?? []);
    if (rows.length === 0) return [];
    return [
      {
        connection: 'demo',
        devices: rows.map(({ device }) => device),
        presence: rows.map(({ presence }) => PRESENCES.indexOf(presence)),
        states: rows.map(stateCode),
        more: false,
      },
    ];
  }

  #touch(): void {
    if (this.#due) return;
    this.#due = true;
    setTimeout(() => {
      this.#due = false;
      const batch: Batch = {
        sequence: ++this.#sequence,
        connections: this.#views(),
        commands: [...this.#changed.values()],
        more_commands: false,
        devices: this.#changedDevices.size > 0 ? ['demo'] : [],
        changed_devices: [...this.#changedDevices.values()].slice(0, 200),
        device_states: this.#states(),
        rollouts: [...this.#changedRollouts.values()],
        notices: this.#notices,
      };
      this.#changed = new Map();
      this.#changedDevices = new Map();
      this.#changedRollouts = new Map();
      this.#notices = [];
      for (const listener of this.#listeners) listener(batch);
    }, BATCH_EVERY);
  }
}
