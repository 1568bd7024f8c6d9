import { createContext } from 'svelte';

import type { Batch } from '../../backend/bindings/Batch';
import type { CommandView } from '../../backend/bindings/CommandView';
import type { Failure } from '../../backend/bindings/Failure';
import type { FileToWrite } from '../../backend/bindings/FileToWrite';
import type { KeptLog } from '../../backend/bindings/KeptLog';
import type { LogView } from '../../backend/bindings/LogView';
import { continued, linesOf, NOT_FETCHED, type LogLine } from '../../format/log';
import type { Backend } from '../../state/backend';
import { failureOf } from '../../state/failure';
import { keyOf, newer } from '../../state/feed';
import type { Sending } from '../../state/sending.svelte';
import { Throttle } from '../../state/throttle';
import { toJson } from '../../format/json';

/** How many of the last lines can be fetched; all if null. */
export const AMOUNTS = [200, 1_000, 10_000, null] as const;
export type Amount = (typeof AMOUNTS)[number];

/** Pause between two fetches while the log is followed, milliseconds. */
export const FOLLOW_EVERY = 3_000;

/** How many of the commands that following a log has sent are remembered. */
const FOLLOWED_KEPT = 200;

/** A fetch that continues the shown log, once it is complete. */
interface Awaited {
  id: string;
  command: CommandView | null;
  view: LogView | null;
}

/** The shown log of a device, as far as it was received. */
export class DeviceLog {
  connection = $state<string | null>(null);
  device = $state<string | null>(null);
  /** The command that fetched the log that is shown. */
  id = $state<string | null>(null);
  kept = $state.raw<KeptLog[]>([]);
  view = $state.raw<LogView | null>(null);
  lines = $state.raw<LogLine[]>([]);
  command = $state.raw<CommandView | null>(null);
  /** While following: the shown log stays until this one is complete. */
  awaited = $state.raw<Awaited | null>(null);
  /** The command that was to continue the log and failed. */
  inVain = $state.raw<CommandView | null>(null);
  /** How many of the lines were fetched last. */
  fetched = $state(0);
  failure = $state.raw<Failure | null>(null);
  amount = $state<Amount>(1_000);
  following = $state(false);
  fetching = $state(false);
  loaded = $state(false);

  /** Lines are shown that were not fetched last. */
  readonly isJoined = $derived(this.lines.length > this.fetched);
  /** How many times two fetches do not meet. */
  readonly breaks = $derived(this.lines.filter(({ gap, text }) => gap && text === NOT_FETCHED).length);

  readonly #refresh = new Throttle(400, () => void this.#load());
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** The ID of the failed command, whose view may arrive after its failure. */
  #vain: string | null = null;
  /** The lines before the fetch that continues them. */
  #before: LogLine[] | null = null;
  /** The commands sent by following, oldest first: only the log of the last one is kept. */
  #followed: string[] = [];
  /** The newest of them, also those whose logs have made room. */
  #asked = $state.raw<ReadonlySet<string>>(new Set());

  /** A person has said yes to the fetches of this following. */
  #confirmed = false;

  constructor(
    readonly backend: Backend,
    readonly sending: Sending,
  ) {}

  /** Shows a log of a device: that of a command, or the last one stored. */
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
    const { connection, device, awaited } = this;
    const id = awaited?.id ?? this.id;
    if (connection === null || device === null || id === null) return;
    const of = (id: string) => (one: CommandView) =>
      one.id === id && one.device === device && one.connection === connection;
    const mine = batch.commands.find(of(id));
    const vain = this.#vain !== null && batch.commands.find(of(this.#vain));
    if (vain) this.inVain = latest(this.inVain, vain);
    if (mine && awaited) this.awaited = { ...awaited, command: latest(awaited.command, mine) };
    else if (mine) this.command = latest(this.command, mine);
    const heard = batch.changed_devices.some(([c, d]) => c === connection && d === device);
    const unlisted = batch.changed_devices.length >= 200 && batch.devices.includes(connection);
    if (mine || ((heard || unlisted) && this.#isComing)) this.#refresh.ask();
  }

  /** Fetches the device's log, once or because it is followed. Returns whether the engine accepted it. */
  async fetch(connection: string, device: string, followed = false): Promise<boolean> {
    if (connection !== this.connection || device !== this.device) this.#reset(connection, device);
    // A fetch by following disables no button.
    if (!followed) this.fetching = true;
    this.failure = null;
    try {
      const usual = { timeout_ms: null, ttl_ms: null, retries: null, delivery: null, no_answer: false };
      const command = {
        ...usual,
        connection,
        devices: [device],
        command: 'log.get',
        args: toJson(this.amount === null ? {} : { lines: this.amount }),
        // The last that came while it was followed makes room, and nothing else.
        again_of: (followed && this.#followed[0]) || null,
        automatic: followed,
      };
      // Following is confirmed once for all fetches.
      const sent = await this.sending.send(command, followed && this.#confirmed);
      if (sent === null) {
        this.unfollow();
        return false;
      }
      this.#confirmed = followed && this.following;
      const { ids } = sent;
      if (connection === this.connection && device === this.device) {
        if (followed && this.following) this.#followed.push(...ids);
        if (followed) this.#asked = new Set([...this.#asked, ...ids].slice(-FOLLOWED_KEPT));
        this.#await(ids[0] ?? null);
        void this.#list(false);
      }
      return true;
    } catch (reason) {
      this.#fail(reason);
      return false;
    } finally {
      if (!followed) this.fetching = false;
      this.loaded = true;
    }
  }

  /** Shows another one that is kept. */
  choose(id: string): void {
    this.unfollow();
    this.#show(id);
  }

  follow(): void {
    this.following = true;
    this.#goOn(0);
  }

  /** Whether the command was sent by following. */
  hasAskedBecauseFollowed(id: string): boolean {
    return this.#asked.has(id);
  }

  unfollow(): void {
    this.following = false;
    this.#confirmed = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#followed = [];
  }

  /** Writes the log that is shown to a file, and says where that lies. */
  async save(to: FileToWrite): Promise<string | null> {
    const { connection, device, id } = this;
    if (connection === null || device === null || id === null) return null;
    return this.backend.saveLog(connection, device, id, to);
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
    // A chunk may arrive after its command ended.
    const view = this.awaited ? this.awaited.view : this.view;
    return view === null || view.standing === 'coming' || view.standing === 'gaps';
  }

  #reset(connection: string | null, device: string | null): void {
    this.unfollow();
    this.connection = connection;
    this.device = device;
    this.kept = [];
    this.loaded = false;
    this.failure = null;
    this.#show(null);
  }

  #show(id: string | null): void {
    this.id = id;
    this.command = null;
    this.view = null;
    this.awaited = null;
    this.#vain = this.inVain = null;
    this.#before = null;
    this.#put([]);
    if (id !== null) this.#refresh.ask();
  }

  /** Shows the log while it arrives, or once it is complete if it continues the one that is shown. */
  #await(id: string | null): void {
    if (!this.following || this.lines.length === 0 || id === null) return this.#show(id);
    this.awaited = { id, command: null, view: null };
    this.#refresh.ask();
  }

  #put(lines: LogLine[]): void {
    this.fetched = lines.length;
    this.lines = this.#before === null ? lines : continued(this.#before, lines);
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
    const { connection, device } = this;
    const id = this.awaited?.id ?? this.id;
    if (connection === null || device === null || id === null) return;
    try {
      const view = await this.backend.log(connection, device, id, true);
      this.failure = null;
      if (id === this.awaited?.id) await this.#hear(this.awaited, view);
      else if (id === this.id) this.#see(view);
      this.#goOn(FOLLOW_EVERY);
    } catch (reason) {
      if (id === (this.awaited?.id ?? this.id)) this.#fail(reason);
    }
  }

  #see(view: LogView): void {
    const news = view.standing !== 'coming' && this.view?.standing !== view.standing;
    this.view = view;
    this.#put(linesOf(view.parts));
    if (news) void this.#forgetFollowed(view).then(() => this.#list(false));
  }

  /** The shown log changes at once, and only when the new one is complete. */
  async #hear(awaited: Awaited, view: LogView): Promise<void> {
    this.awaited = { ...awaited, view };
    if (view.standing === 'coming') return;
    if (view.have === 0) {
      this.awaited = null;
      this.#vain = view.id;
      this.inVain = awaited.command;
      return;
    }
    await this.#forgetFollowed(view);
    const kept = await this.backend.logs(view.connection, view.device).catch(() => this.kept);
    // Another log may have been chosen meanwhile, or a later view may have arrived.
    if (this.awaited?.id !== view.id) return;
    this.#before = this.lines;
    this.command = this.awaited.command;
    this.awaited = null;
    this.#vain = this.inVain = null;
    this.id = view.id;
    this.kept = kept;
    this.view = view;
    this.#put(linesOf(view.parts));
  }

  /** Once something of a log has come, those that were fetched before it because it is followed make room. */
  async #forgetFollowed({ connection, device, id, have }: LogView): Promise<void> {
    if (have === 0 || !this.#followed.includes(id)) return;
    const before = this.#followed.filter((other) => other !== id);
    this.#followed = [id];
    // Where a request was not answered there is nothing to forget.
    await Promise.allSettled(before.map((other) => this.backend.forgetLog(connection, device, other)));
  }

  /** Fetches again after a pause, as long as it is followed and the last fetch succeeded. */
  #goOn(pause: number): void {
    const { connection, device } = this;
    if (!this.following || this.#timer !== null || connection === null || device === null) return;
    if (this.awaited !== null) return;
    if (this.id !== null && (this.view === null || this.view.standing === 'coming')) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.following) void this.fetch(connection, device, true);
    }, pause);
  }

  #fail(reason: unknown): void {
    this.failure = failureOf(reason);
    this.awaited = null;
    this.unfollow();
  }
}

export const [getLog, setLog] = createContext<DeviceLog>();

function latest(before: CommandView | null, now: CommandView): CommandView {
  return before && keyOf(before) === keyOf(now) ? newer(before, now) : now;
}
