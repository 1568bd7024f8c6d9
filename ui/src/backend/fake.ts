/**
 * The engine's stand-in for a plain browser: an invented fleet that answers by itself. Nothing leaves the page and
 * nothing is kept.
 */

import { DEFAULT_PREFERENCES, type About, type Backend, type Preferences } from './backend';
import type { Batch } from './bindings/Batch';
import type { CommandDetail } from './bindings/CommandDetail';
import type { CommandView } from './bindings/CommandView';
import type { ConnectionView } from './bindings/ConnectionView';
import type { Counts } from './bindings/Counts';
import type { DeviceDetail } from './bindings/DeviceDetail';
import type { DevicePage } from './bindings/DevicePage';
import type { DeviceQuery } from './bindings/DeviceQuery';
import type { Failure } from './bindings/Failure';
import type { HistoryPage } from './bindings/HistoryPage';
import type { HistoryQuery } from './bindings/HistoryQuery';
import type { NewCommand } from './bindings/NewCommand';
import type { NewConnection } from './bindings/NewConnection';
import type { Notice } from './bindings/Notice';
import type { Probe } from './bindings/Probe';
import type { Sent } from './bindings/Sent';
import { detailOf, stray } from './fake/evidence';
import { fate, type Step } from './fake/fate';
import { makeFleet, select, type FakeDevice } from './fake/fleet';
import { blank, makePast, newId } from './fake/past';
import { random } from './fake/random';

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
  /** Connections whose secrets find no keyring. */
  keyring?: boolean;
}

const BATCH_EVERY = 60;

export class Fake implements Backend {
  readonly #options: Required<Omit<FakeOptions, 'fates'>> & { fates: Step[][] };
  readonly #next = random(42);
  readonly #listeners = new Set<(batch: Batch) => void>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #connections: ConnectionView[] = [];
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
      ...options,
    };
  }

  async connections(): Promise<ConnectionView[]> {
    return this.#views();
  }

  async startDemo(): Promise<ConnectionView> {
    const running = this.#connections.find((connection) => connection.demo);
    if (running) return running;
    await wait(this.#options.startup);
    const now = Date.now();
    const demo = view({ id: 'demo', name: 'Demo fleet', url: 'mqtt://127.0.0.1:41883', demo: true });
    demo.link = { state: 'online', since: now };
    demo.round_trip_ms = 0.4;
    this.#fleet = makeFleet(demo.id, this.#options.devices, now);
    this.#commands = makePast(this.#fleet, this.#options.past, now);
    this.#connections = [...this.#connections, demo];
    this.#touch();
    setInterval(() => {
      demo.round_trip_ms = 0.3 + this.#next() * 0.4;
      demo.in_per_second = this.#options.devices * (0.8 + this.#next() * 0.05);
      this.#touch();
    }, 1_000);
    if (this.#options.chatter) setInterval(() => this.#chat(), 2_500);
    return demo;
  }

  async addConnection(connection: NewConnection): Promise<ConnectionView> {
    await wait(20);
    this.#refuse(connection);
    if (!this.#options.keyring && !connection.without_keyring) {
      throw failure(
        'keyring',
        'There is no keyring on this computer, so the private key cannot be stored.',
        'Install one, gnome-keyring for instance.',
      );
    }
    const added = view({
      id: `c${this.#connections.length + 1}`,
      name: connection.name,
      url: connection.url,
      mqtt: connection.mqtt,
      client_id: connection.client_id ?? 'wilco-5f3a90c1',
      username: connection.username,
      prefix: connection.prefix ?? '',
    });
    if (connection.files.certificate !== null) {
      added.certificate_subject = 'CN=wilco-console';
      added.certificate_expires_at = Date.now() + 86 * 86_400_000;
    }
    added.link = {
      state: 'waiting',
      message: `Nothing answers at ${connection.url}: the connection was refused.`,
      hint: 'Check the address and that the broker is running.',
      retry_at: Date.now() + 30_000,
    };
    this.#connections = [...this.#connections, added];
    this.#touch();
    return added;
  }

  async testConnection(connection: NewConnection): Promise<Probe> {
    await wait(300);
    this.#refuse(connection);
    return {
      ok: false,
      message: `Nothing answers at ${connection.url}: the connection was refused.`,
      hint: 'Check the address and that the broker is running.',
      took_ms: 12.4,
    };
  }

  async removeConnection(id: string): Promise<void> {
    this.#connections = this.#connections.filter((connection) => connection.id !== id);
    this.#touch();
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
      commands: commands.slice(0, 8),
      command_count: commands.length,
      strays: found.row.device.endsWith('1') ? [stray(device)] : [],
    };
  }

  async send(command: NewCommand): Promise<Sent> {
    const ids = command.devices.map((id) => {
      const device = this.#find(command.connection, id);
      const view = blank(device, newId(Date.now(), this.#next), command.command, command.args, Date.now());
      const held = device.row.presence === 'offline' && command.delivery === 'hold_here';
      this.#begin(held ? { ...view, state: 'held', deadline: view.queued_at + 60_000 } : view, device);
      return view.id;
    });
    return { ids };
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
    const matching = this.#commands.filter(
      (command) =>
        (query.connection === null || command.connection === query.connection) &&
        (query.device === null || command.device === query.device) &&
        (query.states.length === 0 || query.states.includes(command.state)) &&
        (query.since === null || command.queued_at >= query.since),
    );
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

  async subscribe(onBatch: (batch: Batch) => void): Promise<() => void> {
    this.#listeners.add(onBatch);
    return () => this.#listeners.delete(onBatch);
  }

  async about(): Promise<About> {
    return { version: '0.1.0', data_dir: '(in this browser: nothing is kept)' };
  }

  async loadPreferences(): Promise<Preferences> {
    return this.#preferences;
  }

  async savePreferences(preferences: Preferences): Promise<void> {
    this.#preferences = preferences;
  }

  async chooseFile(title: string): Promise<string | null> {
    return `/home/you/certificates/${title.toLowerCase().replaceAll(' ', '-')}.pem`;
  }

  /** Says something, as the engine would. */
  notify(notice: Notice): void {
    this.#notices.push(notice);
    this.#touch();
  }

  /** Changes how a connection stands, as the network would. */
  setLink(id: string, link: ConnectionView['link']): void {
    const connection = this.#connections.find((other) => other.id === id);
    if (connection) connection.link = link;
    this.#touch();
  }

  #refuse(connection: NewConnection): void {
    if (connection.name.trim() === '') throw failure('invalid', 'The connection has no name.', 'Give it one.');
    if (!/^mqtts?:\/\/[^\s/]+/.test(connection.url)) {
      throw failure('invalid', `“${connection.url}” is not an address of a broker.`, 'Write it as mqtts://host:8883.');
    }
    if (this.#connections.some((other) => other.name === connection.name)) {
      throw failure('invalid', `There is already a connection called “${connection.name}”.`, 'Choose another name.');
    }
  }

  #chat(): void {
    const device = this.#fleet[Math.floor(this.#next() * this.#fleet.length)];
    if (!device || device.row.presence !== 'online') return;
    const on = this.#next() > 0.5;
    const view = blank(device, newId(Date.now(), this.#next), 'led', { on }, Date.now());
    this.#begin({ ...view, by: 'another console' }, device);
  }

  #begin(command: CommandView, device: FakeDevice): void {
    this.#commands = [command, ...this.#commands];
    device.commandCount += 1;
    device.row = { ...device.row, last_command: command };
    this.#say(command);
    const steps =
      command.state === 'held'
        ? [{ after: 60_000, change: { state: 'expired' } }]
        : (this.#options.fates.shift() ?? fate(command, device, this.#next));
    this.#follow(command.id, device, steps);
  }

  #follow(id: string, device: FakeDevice, [step, ...rest]: Step[]): void {
    if (!step) return;
    const timer = setTimeout(() => {
      const command = this.#commands.find((other) => other.id === id);
      if (!command) return;
      this.#affect(step.effect, device, command);
      this.#apply(command, step.change);
      this.#follow(id, device, rest);
    }, step.after);
    this.#timers.set(id, timer);
  }

  #apply(command: CommandView, change: Partial<CommandView>): void {
    const now = Date.now();
    const state = change.state ?? command.state;
    const ended = !['queued', 'held', 'sent', 'at_broker', 'accepted', 'running'].includes(state);
    const moved: CommandView = { ...command, ...change, changed_at: now, final: ended };
    if (state === 'sent') moved.attempts += 1;
    if (state === 'sent') moved.sent_at = now;
    if (state === 'at_broker') moved.at_broker_at = now;
    if (['accepted', 'running', 'succeeded', 'failed', 'rejected'].includes(state)) moved.accepted_at ??= now;
    if (ended && (command.finished_at === null || change.late)) moved.finished_at = now;
    if (ended) moved.deadline = null;
    this.#commands = this.#commands.map((other) => (other.id === moved.id ? moved : other));
    const device = this.#find(moved.connection, moved.device);
    if (device.row.last_command?.id === moved.id) device.row = { ...device.row, last_command: moved };
    if (moved.accepted_at === now) device.row = { ...device.row, seen_at: now, trip_ms: now - (moved.sent_at ?? now) };
    this.#say(moved);
  }

  #affect(effect: Step['effect'], device: FakeDevice, command: CommandView): void {
    const now = Date.now();
    const row = { ...device.row };
    if (effect === 'led') row.led = command.args['on'] === true;
    if (effect === 'leave' || effect === 'return') {
      row.presence = effect === 'leave' ? 'offline' : 'online';
      row.presence_since = now;
    }
    if (effect === 'return') {
      row.boot = Math.floor(this.#next() * 0xffffff).toString(16);
      device.running = device.saved;
    }
    if (effect === 'config') {
      const changes = command.args['changes'] as Record<string, unknown>;
      device.saved = { ...device.saved, ...changes };
      if (command.args['apply'] === 'now') device.running = { ...device.running, ...changes };
    }
    if (effect === 'report') {
      device.running ??= { report_interval_s: 30, temp_high_c: 8, buzzer: true, ntp_host: 'pool.ntp.org' };
      device.saved ??= device.running;
    }
    if (effect) device.reportedAt = now;
    device.row = row;
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
    return this.#connections.map((connection) => {
      if (!connection.demo) return connection;
      const online = this.#fleet.filter((device) => device.row.presence === 'online').length;
      return { ...connection, devices: this.#fleet.length, online, counts: this.#counts() };
    });
  }

  #counts(): Counts {
    const counts = { queued: 0, held: 0, in_flight: 0, need_you: 0, kept: this.#commands.length };
    const hour = Date.now() - 3_600_000;
    for (const { state, queued_at } of this.#commands.slice(0, 500)) {
      if (state === 'queued') counts.queued += 1;
      else if (state === 'held') counts.held += 1;
      else if (['sent', 'at_broker', 'accepted', 'running'].includes(state)) counts.in_flight += 1;
      else if (['failed', 'rejected', 'timed_out', 'undeliverable'].includes(state) && queued_at > hour)
        counts.need_you += 1;
    }
    return counts;
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

function view(given: Partial<ConnectionView>): ConnectionView {
  return {
    id: '',
    name: '',
    url: '',
    mqtt: '5',
    client_id: 'wilco-5f3a90c1',
    username: null,
    dialect: 'wilco',
    prefix: '',
    demo: false,
    certificate_expires_at: null,
    certificate_subject: null,
    link: { state: 'connecting' },
    round_trip_ms: null,
    in_per_second: 0,
    out_per_second: 0,
    devices: 0,
    online: 0,
    counts: { queued: 0, held: 0, in_flight: 0, need_you: 0, kept: 0 },
    ...given,
  };
}

function failure(code: Failure['code'], message: string, hint: string | null): Failure {
  return { code, message, hint };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
