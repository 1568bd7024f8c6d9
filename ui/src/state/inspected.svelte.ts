import { createContext } from 'svelte';

import type { Backend } from '../backend/backend';
import type { Batch } from '../backend/bindings/Batch';
import type { CommandView } from '../backend/bindings/CommandView';
import type { DeviceDetail } from '../backend/bindings/DeviceDetail';
import type { Failure } from '../backend/bindings/Failure';
import { read, shown } from '../format/config';
import { fellShort } from '../format/traits';
import type { Catalogue } from './catalogue.svelte';
import type { Targets } from './commandComposer.svelte';
import { failureOf } from './failure';
import { keyOf, newer } from './feed';
import { commonTraits } from './commonTraits';
import type { CommandToSend, Sending } from './sending.svelte';
import { Throttle } from './throttle';
import { objectFrom, toJson } from '../format/json';
import { pressRequests, requestedState } from '../format/led';

const KEPT = 8;
/** Between two readings of the device, milliseconds. */
const PAUSE = 250;
/** One command changes a device several times within a moment: when it is sent, answered, and reported. */
const AT_ONCE = 4;
/** How many commands are remembered with the boot at which they were first seen. */
const BOOTS_KEPT = 200;

/** Which of the inspector's controls a failure belongs to. */
export type Control = 'led' | 'restart' | 'config' | 'identify' | 'telemetry';

/** The inspected device: its reports, its commands, and what can be sent to it. */
export class Inspected {
  connection = $state<string | null>(null);
  device = $state<string | null>(null);
  detail = $state.raw<DeviceDetail | null>(null);
  /** The device itself cannot be shown. */
  failure = $state.raw<Failure | null>(null);
  /** A command was refused, with the control that sent it. */
  refused = $state.raw<{ control: Control; failure: Failure } | null>(null);
  /** Configuration values as they were typed, by key. Those of another device are kept until it is inspected again. */
  readonly edits: Record<string, string> = $derived.by(() => this.#edits.get(this.#place) ?? {});
  /** Requested values that are not yet confirmed, by key. */
  readonly asked: Record<string, string> = $derived.by(() =>
    Object.assign({}, ...[...this.#asked.values()].filter(({ at }) => at === this.#place).map(({ values }) => values)),
  );
  /** Every device with values that were typed and not applied. */
  readonly unapplied: { connection: string; device: string; count: number }[] = $derived.by(() =>
    [...this.#edits].map(([place, edits]) => ({ ...whereIs(place), count: Object.keys(edits).length })),
  );
  /** Properties that other failed devices have in common with this one. */
  remark = $state.raw<{ key: string; words: string } | null>(null);
  /** A command is being written to the outbox. */
  busy = $state<Control | null>(null);

  /** The typed values, by connection and device. */
  #edits = $state.raw(new Map<string, Record<string, string>>());
  /** The changes of unfinished commands, by command id, with connection and device. */
  #asked = $state.raw(new Map<string, { at: string; values: Record<string, string> }>());
  /** Which start of the device it was when a command was first seen, by the command's key. */
  readonly #bootOf = new Map<string, string | null>();
  readonly #refresh = new Throttle(PAUSE, () => void this.#load(), AT_ONCE);
  /** Counts the readings: their answers may overtake each other. */
  #readings = 0;
  #shownReading = 0;

  constructor(
    readonly backend: Backend,
    readonly catalogue: Catalogue,
    readonly sending: Sending,
  ) {}

  /** The recipients of a command now: the device, if it belongs to the current connection. */
  get targets(): Targets | null {
    const { connection, device, detail } = this;
    if (connection === null || device === null || connection !== this.sending.connections.current?.id) return null;
    const offline = detail?.row.device === device && detail.row.presence === 'offline';
    return { connection, devices: [device], offline: offline ? [device] : [] };
  }

  choose(connection: string, device: string): void {
    if (connection === this.connection && device === this.device) return;
    this.connection = connection;
    this.device = device;
    this.failure = null;
    this.refused = null;
    this.remark = null;
    if (this.detail?.row.device !== device || this.detail.row.connection !== connection) this.detail = null;
    this.#refresh.ask();
  }

  close(): void {
    this.connection = null;
    this.device = null;
    this.detail = null;
    this.failure = null;
    this.refused = null;
  }

  take(batch: Batch): void {
    for (const command of batch.commands) this.#settle(command);
    const { connection, device } = this;
    if (connection === null || device === null) return;
    const mine = batch.commands.filter(
      (command) => command.connection === connection && command.device === device && !command.automatic,
    );
    if (this.detail !== null && mine.length > 0) this.detail = withCommands(this.detail, mine);
    const listed = batch.changed_devices.some(([c, d]) => c === connection && d === device);
    const unlisted = batch.changed_devices.length >= 200 && batch.devices.includes(connection);
    if (listed || unlisted || mine.length > 0) this.#refresh.ask();
  }

  /** Says whether that was sent. */
  async switchLed(on: boolean): Promise<boolean> {
    return (await this.#ask('led', 'led', { on })) !== null;
  }

  /** The state that a press on the LED requests. */
  get nextLed(): boolean {
    const last = this.detail?.commands.find(({ command }) => command === 'led');
    const requested = last === undefined || last.final ? null : requestedState(last);
    return pressRequests(requested, this.detail?.row.led ?? null);
  }

  /** The command of the next flip; null where no device is inspected. */
  get ledCommand(): CommandToSend | null {
    const { connection, device } = this;
    if (connection === null || device === null) return null;
    return toSend(connection, device, 'led', { on: this.nextLed });
  }

  /** Whether the device has restarted since this command was first seen here. */
  hasRestartedSince(command: CommandView): boolean {
    const before = this.#bootOf.get(keyOf(command)) ?? null;
    const now = this.detail?.row.boot ?? null;
    return before !== null && now !== null && before !== now;
  }

  async flipLed(): Promise<boolean> {
    return this.busy !== 'led' && (await this.switchLed(this.nextLed));
  }

  /** All edited values are valid. */
  get isReady(): boolean {
    const keys = Object.keys(this.edits);
    // Without the current value its type is unknown.
    if (this.detail === null || keys.length === 0 || this.busy === 'config') return false;
    return keys.every((key) => this.complaint(key) === null);
  }

  /** Restarts it, once that was confirmed beside its button. */
  async restart(): Promise<void> {
    await this.#ask('restart', 'restart', {}, true);
  }

  /** Makes it blink for so many seconds. */
  async identify(seconds: number): Promise<void> {
    await this.#ask('identify', 'identify', { seconds });
  }

  /** How often it is to send telemetry, in milliseconds. Says whether that was taken. */
  setInterval(ms: number): Promise<boolean> {
    return this.#ask('telemetry', 'telemetry.set', { interval_ms: ms }).then((id) => id !== null);
  }

  async askConfiguration(): Promise<void> {
    await this.#ask('config', 'config.get', {});
  }

  edit(key: string, typed: string): void {
    const unchanged = typed === this.standing(key);
    const rest = Object.fromEntries(Object.entries(this.edits).filter(([other]) => other !== key));
    this.#keep(this.#place, unchanged ? rest : { ...rest, [key]: typed });
  }

  /** The value shown if nothing is typed: the requested one, or else the current one. */
  standing(key: string): string {
    return this.asked[key] ?? shown(this.#saved()[key]);
  }

  discard(): void {
    this.#keep(this.#place, {});
    this.refused = null;
  }

  /** The error of an edited value; null if it is valid. */
  complaint(key: string): string | null {
    const typed = this.edits[key];
    if (typed === undefined) return null;
    const edit = read(typed, this.#saved()[key]);
    return edit.ok ? null : edit.why;
  }

  /** The edited values, each of the type of the one that it replaces. */
  changes(): Record<string, unknown> {
    const saved = this.#saved();
    const out: Record<string, unknown> = {};
    for (const [key, typed] of Object.entries(this.edits)) {
      const edit = read(typed, saved[key]);
      if (edit.ok) out[key] = edit.value;
    }
    return out;
  }

  async apply(when: 'now' | 'restart'): Promise<void> {
    const [place, edits, changes] = [this.#place, this.edits, this.changes()];
    const id = await this.#ask('config', 'config.set', { changes, apply: when });
    if (id === null) return;
    // Values typed meanwhile were not sent.
    const sent = (key: string, typed: string) => key in changes && typed === edits[key];
    const typed = Object.entries(this.#edits.get(place) ?? {});
    this.#keep(place, Object.fromEntries(typed.filter(([key, now]) => !sent(key, now))));
    const values = Object.fromEntries(Object.entries(changes).map(([key, value]) => [key, shown(value)]));
    this.#asked = new Map(this.#asked).set(id, { at: place, values });
    // It may have ended before its id arrived.
    this.detail?.commands.forEach((command) => this.#settle(command));
  }

  /** Withdraws a command that was never sent; later it stops the waiting. */
  async stop(command: CommandView, control: Control): Promise<void> {
    try {
      await this.backend.cancel(command.connection, command.device, command.id);
    } catch (reason) {
      this.refused = { control, failure: failureOf(reason) };
    }
  }

  /** The device was deleted: discards its typed values. */
  forget(connection: string, device: string): void {
    const place = placeOf(connection, device);
    this.#keep(place, {});
    this.#asked = new Map([...this.#asked].filter(([, { at }]) => at !== place));
    if (place === this.#place) this.close();
  }

  /** Asks for what is known of it again. */
  refresh(): void {
    this.#refresh.ask();
  }

  get #place(): string {
    return placeOf(this.connection, this.device);
  }

  /** A change that has ended. What the device did not make its own is there again as it was typed. */
  #settle({ id, final, state }: CommandView, reported = false): void {
    const asked = this.#asked.get(id);
    if (asked === undefined || !final) return;
    const { at, values } = asked;
    // The shown configuration is older than the device's answer.
    if (state === 'succeeded' && at === this.#place && !reported) return;
    const rest = new Map(this.#asked);
    rest.delete(id);
    this.#asked = rest;
    if (state !== 'succeeded') this.#keep(at, { ...values, ...this.#edits.get(at) });
  }

  /** Drops edits that the device has by now. */
  #forgetReported(): void {
    const saved = this.#saved();
    const edits = Object.entries(this.edits).filter(([key, typed]) => key in this.asked || typed !== shown(saved[key]));
    if (edits.length < Object.keys(this.edits).length) this.#keep(this.#place, Object.fromEntries(edits));
  }

  async #settleAsked(commands: CommandView[]): Promise<void> {
    const { connection, device } = this;
    if (connection === null || device === null) return;
    for (const [id, { at }] of this.#asked) {
      if (at !== this.#place) continue;
      const listed = commands.find((command) => command.id === id);
      // It is no longer among the latest commands.
      const found = listed ?? (await this.backend.command(connection, device, id).catch(() => null))?.command;
      if (found) this.#settle(found, true);
    }
  }

  #keep(place: string, edits: Record<string, string>): void {
    const all = new Map(this.#edits);
    if (Object.keys(edits).length > 0) all.set(place, edits);
    else all.delete(place);
    this.#edits = all;
  }

  #saved(): Record<string, unknown> {
    return objectFrom(this.detail?.saved_config ?? this.detail?.running_config ?? '{}');
  }

  async #ask(control: Control, command: string, args: Record<string, unknown>, asked = false): Promise<string | null> {
    const { connection, device } = this;
    if (connection === null || device === null) return null;
    this.busy = control;
    this.refused = null;
    try {
      const sent = await this.sending.send(toSend(connection, device, command, args), asked);
      if (sent !== null) this.#refresh.ask();
      return sent?.ids[0] ?? null;
    } catch (reason) {
      if (device === this.device) this.refused = { control, failure: failureOf(reason) };
      return null;
    } finally {
      this.busy = null;
    }
  }

  /** A command that ended before it was shown may belong to an earlier start. */
  #seeBoot(command: CommandView, boot: string | null): void {
    const key = keyOf(command);
    if (command.final || this.#bootOf.has(key)) return;
    this.#bootOf.set(key, boot);
    const [oldest] = this.#bootOf.keys();
    if (this.#bootOf.size > BOOTS_KEPT && oldest !== undefined) this.#bootOf.delete(oldest);
  }

  /** The words for a command beside what can be said of it alone. */
  remarkOn(command: CommandView): string {
    return this.remark?.key === keyOf(command) ? this.remark.words : '';
  }

  async #compare(): Promise<void> {
    const newest = this.detail?.commands[0];
    if (!newest || !fellShort(newest) || this.remark?.key === keyOf(newest)) return;
    const key = keyOf(newest);
    // A remark is an extra: where it cannot be had there is none.
    const words = await commonTraits(this.backend, newest).catch(() => '');
    if (this.detail?.commands[0] && keyOf(this.detail.commands[0]) === key) this.remark = { key, words };
  }

  async #load(): Promise<void> {
    const { connection, device } = this;
    if (connection === null || device === null) return;
    const reading = ++this.#readings;
    try {
      const detail = await this.backend.device(connection, device);
      if (connection !== this.connection || device !== this.device || reading < this.#shownReading) return;
      this.#shownReading = reading;
      const loaded = withCommands(detail, this.detail?.row.device === device ? this.detail.commands : []);
      // While many devices change, this one is read again and again, and most often it is the same.
      const same = this.detail !== null && JSON.stringify(loaded) === JSON.stringify(this.detail);
      const shownDetail = same ? (this.detail as DeviceDetail) : loaded;
      this.detail = shownDetail;
      for (const command of shownDetail.commands) this.#seeBoot(command, shownDetail.row.boot);
      this.failure = null;
      await this.#settleAsked(detail.commands);
      if (this.detail === shownDetail) this.#forgetReported();
      void this.#compare();
    } catch (reason) {
      if (device === this.device && reading > this.#shownReading) this.failure = failureOf(reason);
    }
  }
}

export const [getInspected, setInspected] = createContext<Inspected>();

/** A command for one device, with the usual delivery. */
export function toSend(
  connection: string,
  device: string,
  command: string,
  args: Record<string, unknown>,
): CommandToSend {
  const usual = { timeout_ms: null, ttl_ms: null, retries: null, delivery: null, no_answer: false, again_of: null };
  return { ...usual, automatic: false, connection, devices: [device], command, args: toJson(args) };
}

/** A device's place among what is known of all of them. */
function placeOf(connection: string | null, device: string | null): string {
  return JSON.stringify([connection, device]);
}

function whereIs(place: string): { connection: string; device: string } {
  const [connection, device] = JSON.parse(place) as [string, string];
  return { connection, device };
}

/** The detail with what else is known of its commands, newest first. */
function withCommands(detail: DeviceDetail, known: CommandView[]): DeviceDetail {
  const byKey = new Map(detail.commands.map((command) => [keyOf(command), command]));
  let fresh = 0;
  const oldest = detail.commands.at(-1)?.queued_at ?? 0;
  for (const command of known) {
    const listed = byKey.get(keyOf(command));
    if (listed) byKey.set(keyOf(command), newer(listed, command));
    else if (command.queued_at >= oldest) {
      byKey.set(keyOf(command), command);
      fresh += 1;
    }
  }
  const commands = [...byKey.values()].sort((a, b) => b.queued_at - a.queued_at).slice(0, KEPT);
  return { ...detail, commands, command_count: Math.max(detail.command_count, fresh) };
}
