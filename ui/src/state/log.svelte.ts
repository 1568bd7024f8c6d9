import type { Backend } from '../backend/backend';
import type { Batch } from '../backend/bindings/Batch';
import type { CommandView } from '../backend/bindings/CommandView';
import type { Failure } from '../backend/bindings/Failure';
import type { KeptLog } from '../backend/bindings/KeptLog';
import type { LogView } from '../backend/bindings/LogView';
import { continued, linesOf, type LogLine } from '../words/log';
import { failureOf } from './failure';
import { keyOf, newer } from './feed';
import { Throttle } from './throttle';

/** How many of the last lines can be asked for; all where it is null. */
export const AMOUNTS = [200, 1_000, 10_000, null] as const;
export type Amount = (typeof AMOUNTS)[number];

/** While it is followed, the log is asked for again this long after it has come, milliseconds. */
export const FOLLOW_EVERY = 3_000;

/** A device's log that is looked at, as far as it has come. */
export class DeviceLog {
  connection = $state<string | null>(null);
  device = $state<string | null>(null);
  /** The command that asked for what is shown. */
  id = $state<string | null>(null);
  kept = $state.raw<KeptLog[]>([]);
  view = $state.raw<LogView | null>(null);
  lines = $state.raw<LogLine[]>([]);
  command = $state.raw<CommandView | null>(null);
  failure = $state.raw<Failure | null>(null);
  amount = $state<Amount>(1_000);
  following = $state(false);
  asking = $state(false);
  loaded = $state(false);

  readonly #refresh = new Throttle(400, () => void this.#load());
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** What was shown before, to which a new fetch is only added. */
  #before: LogLine[] | null = null;
  /** The commands that asked for it because it is followed, the last one last: only its log is to be kept. */
  #followed: string[] = [];

  constructor(readonly backend: Backend) {}

  /** Shows a log of a device: the one that a command asked for, or the last that is kept. */
  open(connection: string, device: string, id: string | null): void {
    const other = connection !== this.connection || device !== this.device;
    if (!other && (id === null || id === this.id)) return;
    if (other) this.#reset(connection, device);
    this.#show(id);
    void this.#list(id === null);
  }

  close(): void {
    this.#reset(null, null);
  }

  take(batch: Batch): void {
    const { connection, device, id } = this;
    if (connection === null || device === null || id === null) return;
    const mine = batch.commands.find((one) => one.id === id && one.device === device && one.connection === connection);
    if (mine) this.command = this.command && keyOf(this.command) === keyOf(mine) ? newer(this.command, mine) : mine;
    const heard = batch.changed_devices.some(([c, d]) => c === connection && d === device);
    const unlisted = batch.changed_devices.length >= 200 && batch.devices.includes(connection);
    if (mine || ((heard || unlisted) && this.#isComing)) this.#refresh.ask();
  }

  /** Asks the device for its log, because it is followed or somebody wants it. Says whether that was taken. */
  async fetch(connection: string, device: string, followed = false): Promise<boolean> {
    if (connection !== this.connection || device !== this.device) this.#reset(connection, device);
    this.asking = true;
    this.failure = null;
    try {
      const { ids } = await this.backend.send({
        connection,
        devices: [device],
        command: 'log.get',
        args: this.amount === null ? {} : { lines: this.amount },
        timeout_ms: null,
        ttl_ms: null,
        retries: null,
        delivery: null,
        no_answer: false,
        // The last that came while it was followed makes room, and nothing else.
        again_of: (followed && this.#followed[0]) || null,
      });
      if (connection === this.connection && device === this.device) {
        this.#before = this.following && this.lines.length > 0 ? this.lines : null;
        if (followed && this.following) this.#followed.push(...ids);
        this.#show(ids[0] ?? null);
        void this.#list(false);
      }
      return true;
    } catch (reason) {
      this.#fail(reason);
      return false;
    } finally {
      this.asking = false;
      this.loaded = true;
    }
  }

  /** Shows another one that is kept. */
  choose(id: string): void {
    this.unfollow();
    this.#before = null;
    this.#show(id);
  }

  follow(): void {
    this.following = true;
    this.#goOn(0);
  }

  unfollow(): void {
    this.following = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#followed = [];
  }

  /** Says whether it was written. */
  async save(path: string): Promise<Failure | null> {
    const { connection, device, id } = this;
    if (connection === null || device === null || id === null) return null;
    try {
      await this.backend.saveLog(connection, device, id, path);
      return null;
    } catch (reason) {
      return failureOf(reason);
    }
  }

  /** Deletes what is kept of the log that is shown. */
  async forget(): Promise<void> {
    const { connection, device, id } = this;
    if (connection === null || device === null || id === null) return;
    this.unfollow();
    try {
      await this.backend.forgetLog(connection, device, id);
      this.#show(null);
      await this.#list(true);
    } catch (reason) {
      this.#fail(reason);
    }
  }

  get #isComing(): boolean {
    // A chunk may come after the end of its command.
    return this.view === null || this.view.standing === 'coming' || this.view.standing === 'gaps';
  }

  #reset(connection: string | null, device: string | null): void {
    this.unfollow();
    this.connection = connection;
    this.device = device;
    this.kept = [];
    this.loaded = false;
    this.failure = null;
    this.#before = null;
    this.#show(null);
  }

  #show(id: string | null): void {
    this.id = id;
    this.command = null;
    this.view = null;
    if (this.#before === null) this.lines = [];
    if (id !== null) this.#refresh.ask();
  }

  async #list(andShow: boolean): Promise<void> {
    const { connection, device } = this;
    if (connection === null || device === null) return;
    try {
      const kept = await this.backend.logs(connection, device);
      if (connection !== this.connection || device !== this.device) return;
      this.kept = kept;
      this.loaded = true;
      if (andShow && this.id === null && kept[0]) this.#show(kept[0].id);
    } catch (reason) {
      this.#fail(reason);
    }
  }

  async #load(): Promise<void> {
    const { connection, device, id } = this;
    if (connection === null || device === null || id === null) return;
    try {
      const view = await this.backend.log(connection, device, id, true);
      if (id !== this.id) return;
      const news = view.standing !== 'coming' && this.view?.standing !== view.standing;
      this.view = view;
      this.failure = null;
      if (this.#before === null) this.lines = linesOf(view.parts);
      else if (view.standing !== 'coming') this.lines = continued(this.#before, linesOf(view.parts));
      if (news) void this.#forgetFollowed(view).then(() => this.#list(false));
      this.#goOn(FOLLOW_EVERY);
    } catch (reason) {
      if (id === this.id) this.#fail(reason);
    }
  }

  /** Once something of a log has come, those that were fetched before it because it is followed make room. */
  async #forgetFollowed({ connection, device, id, have }: LogView): Promise<void> {
    if (have === 0 || !this.#followed.includes(id)) return;
    const before = this.#followed.filter((other) => other !== id);
    this.#followed = [id];
    // Where a request was not answered there is nothing to forget.
    await Promise.allSettled(before.map((other) => this.backend.forgetLog(connection, device, other)));
  }

  /** Asks again after a pause, for as long as it is followed and what was asked for has come. */
  #goOn(pause: number): void {
    const { connection, device } = this;
    if (!this.following || this.#timer !== null || connection === null || device === null) return;
    if (this.id !== null && (this.view === null || this.view.standing === 'coming')) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.following) void this.fetch(connection, device, true);
    }, pause);
  }

  #fail(reason: unknown): void {
    this.failure = failureOf(reason);
    this.unfollow();
  }
}
