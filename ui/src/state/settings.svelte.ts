import type { Backend } from '../backend/backend';
import type { Failure } from '../backend/bindings/Failure';
import type { Older } from '../backend/bindings/Older';
import type { Settings as Kept } from '../backend/bindings/Settings';
import { isNothing } from '../words/older';
import { whole } from '../words/whole';
import { failureOf } from './failure';

/** The settings that are numbers. */
export type NumberSetting = { [K in keyof Kept]: Kept[K] extends number | null ? K : never }[keyof Kept];

/** What the engine goes by, changed one at a time and at once. */
export class Settings {
  kept = $state.raw<Kept | null>(null);
  /** They could not be read. */
  failure = $state.raw<Failure | null>(null);
  /** Why a change was not made, beside what was to be changed. */
  wrong = $state.raw<Partial<Record<keyof Kept, string>>>({});
  /** Numbers as they were typed, until they are taken. */
  typed = $state.raw<Partial<Record<NumberSetting, string>>>({});
  /** A shorter history, and how much would go with it: nothing of that is done before somebody says so. */
  shorter = $state.raw<{ days: number; older: Older } | null>(null);
  /** What the data takes on the disk, bytes. */
  size = $state<number | null>(null);

  #question = 0;

  constructor(readonly backend: Backend) {}

  async load(): Promise<void> {
    this.wrong = {};
    this.typed = {};
    this.shorter = null;
    try {
      this.kept = await this.backend.settings();
      this.failure = null;
      this.size = await this.backend.dataSize();
    } catch (reason) {
      this.failure = failureOf(reason);
    }
  }

  /** Changes one of them; whether it was taken. What cannot be is said beside it, and all stays as it was. */
  async change<K extends keyof Kept>(name: K, value: Kept[K]): Promise<boolean> {
    if (this.kept === null) return false;
    const before = this.kept;
    this.#complain(name, null);
    this.kept = { ...before, [name]: value };
    try {
      await this.backend.changeSettings(this.kept);
      return true;
    } catch (reason) {
      this.kept = { ...this.kept, [name]: before[name] };
      this.#complain(name, sentences(failureOf(reason)));
      return false;
    }
  }

  async changeNumber(name: NumberSetting, typed: string): Promise<void> {
    this.typed = { ...this.typed, [name]: typed };
    const number = whole(typed);
    if (name === 'history_days') this.shorter = null;
    if (!number.ok) {
      this.#complain(name, number.why);
      return;
    }
    const { value } = number;
    const taken = name === 'history_days' ? await this.keepHistory(value) : await this.change(name, value);
    if (taken && this.typed[name] === typed) this.typed = without(this.typed, name);
  }

  /** Keeps the history for so many days, or for ever; where something would go with that, it is asked first. */
  async keepHistory(days: number | null): Promise<boolean> {
    this.#complain('history_days', null);
    this.shorter = null;
    const question = ++this.#question;
    const before = this.kept?.history_days ?? null;
    if (days !== null && (before === null || days < before)) {
      try {
        const older = await this.backend.countOlder(days);
        if (question !== this.#question) return false;
        this.shorter = isNothing(older) ? null : { days, older };
        if (this.shorter !== null) return false;
      } catch (reason) {
        if (question === this.#question) this.#complain('history_days', sentences(failureOf(reason)));
        return false;
      }
    }
    return this.change('history_days', days);
  }

  /** Answers whether the history is to be as short as that. */
  async shorten(so: boolean): Promise<void> {
    const { shorter } = this;
    this.shorter = null;
    this.typed = without(this.typed, 'history_days');
    if (so && shorter !== null) await this.change('history_days', shorter.days);
  }

  /** How much is from longer ago than that. */
  countOlder(days: number): Promise<Older> {
    return this.backend.countOlder(days);
  }

  async forgetOlder(days: number): Promise<Older> {
    const older = await this.backend.forgetOlder(days);
    await this.load();
    return older;
  }

  openFolder(): Promise<void> {
    return this.backend.openDataFolder();
  }

  #complain(name: keyof Kept, why: string | null): void {
    const rest = without(this.wrong, name);
    this.wrong = why === null ? rest : { ...rest, [name]: why };
  }
}

function without<T extends object>(all: T, name: keyof T): T {
  return Object.fromEntries(Object.entries(all).filter(([other]) => other !== name)) as T;
}

/** A failure in one line. */
export function sentences({ message, hint }: Failure): string {
  return hint === null ? message : `${message} ${hint}`;
}
