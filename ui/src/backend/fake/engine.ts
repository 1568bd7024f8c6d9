/** The state of the invented engine, and the outcomes of its commands. */

import { DEFAULT_PREFERENCES, type Dropped, type Preferences } from '../backend';
import type { Batch } from '../bindings/Batch';
import type { CommandView } from '../bindings/CommandView';
import type { ConnectionMode } from '../bindings/ConnectionMode';
import type { ConnectionView } from '../bindings/ConnectionView';
import type { DeviceStates } from '../bindings/DeviceStates';
import type { HistoryQuery } from '../bindings/HistoryQuery';
import type { NotificationSubject } from '../bindings/NotificationSubject';
import type { Notice } from '../bindings/Notice';
import type { RolloutView } from '../bindings/RolloutView';
import { PRESENCES } from '../../format/states';
import { FakeAnnotations } from './annotations';
import { FakeCatalogue } from './catalogue';
import { FakeDeviceFiles } from './deviceFiles';
import { FakeConnections } from './connections';
import { affect, changed, countsOf, needingAttention } from './course';
import { FakeExport } from './export';
import { failure } from './failure';
import { fate, UNANSWERED, type Step } from './fate';
import { FakeColumns, select, stateCode } from './columns';
import { type FakeDevice } from './fleet';
import { hasWords } from './history';
import { FakeLogs } from './logs';
import { FakeDrafts } from './drafts';
import { FakeKits } from './kits';
import { blank, newId } from './past';
import { FakePreflight } from './preflight';
import { random } from './random';
import { rolloutFate } from './rolloutFate';
import { FakeRollouts } from './rollouts';
import { daysAgo, FakeSettings } from './settings';
import { FakeTraffic } from './traffic';
import { FakeDesired } from './desired';
import { FakeViews } from './views';
import { objectFrom, toJson } from '../../format/json';

export interface FakeOptions {
  /** Devices of the demo fleet. */
  devices?: number;
  /** Commands it has already answered. */
  past?: number;
  /** Milliseconds that starting the demo fleet takes. */
  startup?: number;
  /** Whether other consoles command the fleet meanwhile. */
  chatter?: boolean;
  /** The outcomes of the next commands, instead of random ones. */
  fates?: Step[][];
  /** Whether there is a keyring for secrets. */
  keyring?: boolean;
  /** Milliseconds a step of a preflight, or a page of an export. */
  pace?: number;
  /** Connections that are there from the start. */
  connections?: ConnectionView[];
  /** Whether one of the devices is a lamp behind a Zigbee2MQTT bridge. */
  lamp?: boolean;
  /** Whether requests to that lamp can be signed with a password. */
  lampPassword?: boolean;
  /** The mode of the demo fleet's connection. */
  mode?: ConnectionMode;
  /** Dangerous rollouts of the demo fleet wait for the approval of a second installation. */
  needsApproval?: boolean;
  /** How many times as fast as the clock rollouts run. */
  rolloutSpeed?: number;
}

const BATCH_EVERY = 60;

/** The parts of the invented engine: its fleet, its commands, and the batches that report changes. */
export class FakeEngine {
  readonly options: Required<Omit<FakeOptions, 'fates'>> & { fates: Step[][] };
  readonly next = random(42);
  readonly listeners = new Set<(batch: Batch) => void>();
  readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly connections: FakeConnections;
  readonly drafts = new FakeDrafts();
  readonly kits = new FakeKits();
  readonly logs = new FakeLogs();
  readonly preflight: FakePreflight;
  readonly export: FakeExport;
  readonly deviceFiles: FakeDeviceFiles;
  readonly settings = new FakeSettings();
  readonly catalogue = new FakeCatalogue();
  readonly traffic = new FakeTraffic();
  readonly columns = new FakeColumns();
  readonly savedViews = new FakeViews();
  readonly desired = new FakeDesired(
    (connection) => this.of(connection),
    (connection) => this.savedViews.of(connection),
  );
  readonly annotations = new FakeAnnotations({
    find: (device) => this.byId.get(device),
    add: (device) => {
      this.byId.set(device.row.device, device);
      this.fleet = [...this.fleet, device];
    },
    remove: (device) => {
      this.byId.delete(device);
      this.fleet = this.fleet.filter(({ row }) => row.device !== device);
    },
    isBusy: (device) => this.commands.some((command) => command.device === device && !command.final),
    changed: (device) => this.changedDevices.set(device, ['demo', device]),
  });

  readonly rollouts: FakeRollouts;
  /** The followers of a command, by its id. */
  readonly followers = new Map<string, (command: CommandView) => void>();

  changedRollouts = new Map<string, RolloutView>();
  readonly dropped = new Set<Dropped>();
  readonly notificationListeners = new Set<(subject: NotificationSubject) => void>();
  readonly closing = new Set<() => void>();
  fleet: FakeDevice[] = [];
  byId = new Map<string, FakeDevice>();
  commands: CommandView[] = [];
  readonly dismissed = new Set<string>();
  sequence = 0;
  changed = new Map<string, CommandView>();
  changedDevices = new Map<string, [string, string]>();
  notices: Notice[] = [];
  due = false;
  preferences: Preferences = DEFAULT_PREFERENCES;
  constructor(options: FakeOptions = {}) {
    this.options = {
      lampPassword: false,
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
      mode: 'normal',
      needsApproval: false,
      ...options,
    };
    this.connections = new FakeConnections(this.options.keyring);
    this.connections.list = [...this.options.connections];
    this.preflight = new FakePreflight(this.options.pace);
    this.export = new FakeExport(this.options.pace);
    this.deviceFiles = new FakeDeviceFiles(this.options.pace, (device) => this.byId.has(device));
    this.rollouts = this.makeRollouts();
  }

  older(days: number): CommandView[] {
    const before = daysAgo(days, Date.now());
    return this.commands.filter((command) => command.final && command.changed_at < before);
  }

  /** The interval that it last confirmed, milliseconds. */
  interval(device: string): number {
    const set = this.commands.find(
      (one) => one.device === device && one.command === 'telemetry.set' && one.state === 'succeeded',
    );
    const interval = set && objectFrom(set.args)['interval_ms'];
    return typeof interval === 'number' ? interval : 5_000;
  }

  matching(query: HistoryQuery): CommandView[] {
    const from = query.needs_attention ? needingAttention(this.commands, this.dismissed) : this.commands;
    return from.filter(
      (command) =>
        (query.connection === null || command.connection === query.connection) &&
        (query.device === null || command.device === query.device) &&
        (query.states.length === 0 || query.states.includes(command.state)) &&
        command.automatic === query.automatic &&
        hasWords(command, query.search) &&
        (query.since === null || command.queued_at >= query.since),
    );
  }

  chat(): void {
    const device = this.fleet[Math.floor(this.next() * this.fleet.length)];
    if (!device || device.row.presence !== 'online') return;
    const on = this.next() > 0.5;
    const view = blank(device, newId(Date.now(), this.next), 'led', toJson({ on }), Date.now());
    this.begin({ ...view, by: 'another console' }, device);
  }

  makeRollouts(): FakeRollouts {
    const { rolloutSpeed } = this.options;
    const find = (connection: string, search: string) => {
      const rows = select(this.of(connection), {
        connection,
        search,
        sort: 'device',
        order: 'ascending',
        group: null,
      });
      return rows.map(({ device }) => this.find(connection, device));
    };
    return new FakeRollouts(
      {
        fleet: (connection) => this.of(connection),
        search: find,
        send: (device, { spec }, onChange) => {
          const view = blank(device, newId(Date.now(), this.next), spec.command.name, spec.command.args, Date.now());
          const steps = rolloutFate(view, device, this.next);
          const fast = steps.map((step) => ({ ...step, after: step.after / rolloutSpeed }));
          this.followers.set(view.id, onChange);
          this.begin(view, device, spec.command.no_answer, spec.command.no_answer ? UNANSWERED : fast);
          return view.id;
        },
        cancel: (connection, device, id) => this.cancel(connection, device, id),
        isDangerous: (connection, command) => this.catalogue.find(connection, command)?.dangerous ?? false,
        needsApproval: (connection, command) =>
          (this.connections.list.find(({ id }) => id === connection)?.needs_approval ?? false) &&
          (this.catalogue.find(connection, command)?.dangerous ?? false),
        say: (rollout) => {
          this.changedRollouts.set(rollout.id, rollout);
          this.touch();
        },
        newId: () => newId(Date.now(), this.next),
      },
      rolloutSpeed,
    );
  }

  begin(command: CommandView, device: FakeDevice, noAnswer = false, course: Step[] | null = null): void {
    this.commands = [command, ...this.commands];
    if (!command.automatic) {
      device.commandCount += 1;
      device.row = { ...device.row, last_command: command };
    }
    this.say(command);
    const steps: Step[] =
      course !== null
        ? course
        : command.state === 'held'
          ? [{ after: 60_000, change: { state: 'expired' } }]
          : (this.options.fates.shift() ?? (noAnswer ? UNANSWERED : fate(command, device, this.next)));
    this.follow(command.id, device, steps);
  }

  follow(id: string, device: FakeDevice, [step, ...rest]: Step[]): void {
    if (!step) return;
    const timer = setTimeout(() => {
      const command = this.commands.find((other) => other.id === id);
      if (!command) return;
      affect(step.effect, device, command, this.next);
      this.apply(command, step.change);
      this.follow(id, device, rest);
    }, step.after);
    this.timers.set(id, timer);
  }

  apply(command: CommandView, change: Partial<CommandView>): void {
    const now = Date.now();
    const moved = changed(command, change, now);
    this.commands = this.commands.map((other) => (other.id === moved.id ? moved : other));
    const device = this.find(moved.connection, moved.device);
    if (device.row.last_command?.id === moved.id) device.row = { ...device.row, last_command: moved };
    this.followers.get(moved.id)?.(moved);
    if (moved.accepted_at === now) device.row = { ...device.row, seen_at: now, trip_ms: now - (moved.sent_at ?? now) };
    this.say(moved);
  }

  of(connection: string): FakeDevice[] {
    return connection === 'demo' ? this.fleet : [];
  }

  find(connection: string, device: string): FakeDevice {
    const found = this.of(connection).length > 0 ? this.byId.get(device) : undefined;
    if (!found) throw failure('not_found', `There is no device called “${device}”.`, null);
    return found;
  }

  views(): ConnectionView[] {
    return this.connections.list.map((connection) => {
      if (!connection.demo) return { ...connection };
      const online = this.fleet.filter((device) => device.row.presence === 'online').length;
      return { ...connection, devices: this.fleet.length, online, counts: countsOf(this.commands, this.dismissed) };
    });
  }

  say(command: CommandView): void {
    this.changed.set(command.id, command);
    this.changedDevices.set(command.device, [command.connection, command.device]);
    this.touch();
  }

  states(): DeviceStates[] {
    const rows = [...this.changedDevices.keys()].flatMap((id) => this.byId.get(id)?.row ?? []);
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

  touch(): void {
    if (this.due) return;
    this.due = true;
    setTimeout(() => {
      this.due = false;
      const batch: Batch = {
        sequence: ++this.sequence,
        now: Date.now(),
        connections: this.views(),
        commands: [...this.changed.values()],
        more_commands: false,
        devices: this.changedDevices.size > 0 ? ['demo'] : [],
        changed_devices: [...this.changedDevices.values()].slice(0, 200),
        device_states: this.states(),
        rollouts: [...this.changedRollouts.values()],
        notices: this.notices,
      };
      this.changed = new Map();
      this.changedDevices = new Map();
      this.changedRollouts = new Map();
      this.notices = [];
      for (const listener of this.listeners) listener(batch);
    }, BATCH_EVERY);
  }

  /** Stops a command that has not ended. */
  cancel(_connection: string, _device: string, id: string): void {
    const command = this.commands.find((other) => other.id === id);
    if (!command || command.final) return;
    clearTimeout(this.timers.get(id));
    const withdrawn = command.state === 'queued' || command.state === 'held';
    const message = withdrawn ? null : 'Stopped waiting. The broker has it; the device may still run it.';
    this.apply(command, { state: withdrawn ? 'cancelled' : 'timed_out', message });
  }
}
