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
import type { CommandPreview } from './bindings/CommandPreview';
import type { CommandToPreview } from './bindings/CommandToPreview';
import type { CommandView } from './bindings/CommandView';
import type { ConnectionEntry } from './bindings/ConnectionEntry';
import type { ConnectionView } from './bindings/ConnectionView';
import type { DeviceDetail } from './bindings/DeviceDetail';
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
import type { Notice } from './bindings/Notice';
import type { Older } from './bindings/Older';
import type { PreflightView } from './bindings/PreflightView';
import type { PresetView } from './bindings/PresetView';
import type { TelemetryQuery } from './bindings/TelemetryQuery';
import type { TelemetryView } from './bindings/TelemetryView';
import type { Sent } from './bindings/Sent';
import type { Settings } from './bindings/Settings';
import type { Step as PreflightStep } from './bindings/Step';
import type { TrafficBatch } from './bindings/TrafficBatch';
import type { TrafficQuery } from './bindings/TrafficQuery';
import { FakeCatalogue } from './fake/catalogue';
import { FakeConnections, view } from './fake/connections';
import { affect, changed, countsOf } from './fake/course';
import { detailOf, stray } from './fake/evidence';
import { FakeExport } from './fake/export';
import { failure, wait } from './fake/failure';
import { fate, UNANSWERED, type Step } from './fake/fate';
import { makeFleet, select, type FakeDevice } from './fake/fleet';
import { measurements } from './fake/telemetry';
import { FakeLogs } from './fake/logs';
import { FakeKits } from './fake/kits';
import { blank, makePast, newId } from './fake/past';
import { FakePreflight } from './fake/preflight';
import { PRESETS } from './fake/presets';
import { random } from './fake/random';
import { daysAgo, FakeSettings } from './fake/settings';
import { FakeTraffic } from './fake/traffic';

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
}

const BATCH_EVERY = 60;

export class Fake implements Backend {
  readonly #options: Required<Omit<FakeOptions, 'fates'>> & { fates: Step[][] };
  readonly #next = random(42);
  readonly #listeners = new Set<(batch: Batch) => void>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #connections: FakeConnections;
  readonly #kits = new FakeKits();
  readonly #logs = new FakeLogs();
  readonly #preflight: FakePreflight;
  readonly #export: FakeExport;
  readonly #settings = new FakeSettings();
  readonly #catalogue = new FakeCatalogue();
  readonly #traffic = new FakeTraffic();
  readonly #dropped = new Set<Dropped>();
  readonly #newsAsked = new Set<(subject: NewsSubject) => void>();
  readonly #closing = new Set<() => void>();
  /** The window has been closed. A browser's stays where it is. */
  closed = false;
  #fleet: FakeDevice[] = [];
  #commands: CommandView[] = [];
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
      ...options,
    };
    this.#connections = new FakeConnections(this.#options.keyring);
    this.#connections.list = [...this.#options.connections];
    this.#preflight = new FakePreflight(this.#options.pace);
    this.#export = new FakeExport(this.#options.pace);
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

  async device(connection: string, device: string): Promise<DeviceDetail> {
    const found = this.#find(connection, device);
    const commands = this.#commands.filter((command) => command.device === device);
    return {
      row: found.row,
      reported_at: found.reportedAt,
      running_config: found.running,
      saved_config: found.saved,
      telemetry_interval_ms: this.#interval(device),
      commands: commands.slice(0, 8),
      command_count: commands.length,
      strays: found.row.device.endsWith('1') ? [stray(device)] : [],
    };
  }

  async send(command: NewCommand): Promise<Sent> {
    const answered = this.#catalogue.find(command.connection, command.command)?.answer_expected ?? true;
    const ids = command.devices.map((id) => {
      const device = this.#find(command.connection, id);
      const asked = blank(device, newId(Date.now(), this.#next), command.command, command.args, Date.now());
      const view = { ...asked, again_of: command.again_of };
      const held = device.row.presence === 'offline' && command.delivery === 'hold_here';
      this.#begin(
        held ? { ...view, state: 'held', deadline: view.queued_at + 60_000 } : view,
        device,
        command.no_answer || !answered,
      );
      return view.id;
    });
    return { ids };
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

  async forgetDevice(connection: string, device: string): Promise<void> {
    this.#find(connection, device);
    if (this.#commands.some((command) => command.device === device && !command.final))
      throw failure('invalid', `'${device}' still has a command under way.`, 'Stop waiting for it first.');
    this.#fleet = this.#fleet.filter(({ row }) => row.device !== device);
    this.#commands = this.#commands.filter((command) => command.device !== device);
    this.#changedDevices.set(device, [connection, device]);
    this.#touch();
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

  async subscribe(onBatch: (batch: Batch) => void): Promise<() => void> {
    this.#listeners.add(onBatch);
    return () => this.#listeners.delete(onBatch);
  }

  async about(): Promise<About> {
    return { version: '0.1.0', data_dir: '(in this browser: nothing is kept)' };
  }

  async watchTraffic(query: TrafficQuery, onBatch: (batch: TrafficBatch) => void): Promise<void> {
    this.#traffic.watch(query, () => this.#of(query.connection), this.#next, onBatch);
  }

  async stopTraffic(): Promise<void> {
    this.#traffic.stop();
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
    return typeof set?.args['interval_ms'] === 'number' ? set.args['interval_ms'] : 5_000;
  }

  #matching(query: HistoryQuery): CommandView[] {
    return this.#commands.filter(
      (command) =>
        (query.connection === null || command.connection === query.connection) &&
        (query.device === null || command.device === query.device) &&
        (query.states.length === 0 || query.states.includes(command.state)) &&
        (query.since === null || command.queued_at >= query.since),
    );
  }

  #chat(): void {
    const device = this.#fleet[Math.floor(this.#next() * this.#fleet.length)];
    if (!device || device.row.presence !== 'online') return;
    const on = this.#next() > 0.5;
    const view = blank(device, newId(Date.now(), this.#next), 'led', { on }, Date.now());
    this.#begin({ ...view, by: 'another console' }, device);
  }

  #begin(command: CommandView, device: FakeDevice, noAnswer = false): void {
    this.#commands = [command, ...this.#commands];
    device.commandCount += 1;
    device.row = { ...device.row, last_command: command };
    this.#say(command);
    const steps =
      command.state === 'held'
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
    if (moved.accepted_at === now) device.row = { ...device.row, seen_at: now, trip_ms: now - (moved.sent_at ?? now) };
    this.#say(moved);
  }

  #of(connection: string): FakeDevice[] {
    return connection === 'demo' ? this.#fleet : [];
  }

  #find(connection: string, device: string): FakeDevice {
    const found = this.#of(connection).find((other) => other.row.device === device);
    if (!found) throw failure('not_found', `There is no device called “${device}”.`, null);
    return found;
  }

  #views(): ConnectionView[] {
    return this.#connections.list.map((connection) => {
      if (!connection.demo) return connection;
      const online = this.#fleet.filter((device) => device.row.presence === 'online').length;
      return { ...connection, devices: this.#fleet.length, online, counts: countsOf(this.#commands) };
    });
  }

  #say(command: CommandView): void {
    this.#changed.set(command.id, command);
    this.#changedDevices.set(command.device, [command.connection, command.device]);
    this.#touch();
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
        changed_devices: [...this.#changedDevices.values()],
        notices: this.#notices,
      };
      this.#changed = new Map();
      this.#changedDevices = new Map();
      this.#notices = [];
      for (const listener of this.#listeners) listener(batch);
    }, BATCH_EVERY);
  }
}
