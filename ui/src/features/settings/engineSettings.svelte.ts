import { createContext } from 'svelte';

import type { EvidenceUse } from '../../backend/bindings/EvidenceUse';
import type { Failure } from '../../backend/bindings/Failure';
import type { Notice } from '../../backend/bindings/Notice';
import type { Older } from '../../backend/bindings/Older';
import type { Settings as All } from '../../backend/bindings/Settings';
import { bytesOf } from '../../format/bytes';
import { isNothing, older as olderText } from '../../format/older';
import { whole } from '../../format/whole';
import type { Backend } from '../../state/backend';
import { failureOf } from '../../state/failure';

/** The settings that are numbers. */
export type NumberSetting = { [K in keyof All]: All[K] extends number | null ? K : never }[keyof All];

/** The kinds of data with a retention time. */
export type Kept = 'history_days' | 'telemetry_days';

/** The engine's settings, changed one at a time and immediately. */
export class Settings {
  kept = $state.raw<All | null>(null);
  /** They could not be read. */
  failure = $state.raw<Failure | null>(null);
  /** Why a change was not made, beside what was to be changed. */
  wrong = $state.raw<Partial<Record<keyof All, string>>>({});
  /** Numbers as they were typed, until they are taken. */
  typed = $state.raw<Partial<Record<NumberSetting, string>>>({});
  /** A shorter retention, and how much it would delete: applied only after confirmation. */
  shorter = $state.raw<{ name: Kept; days: number; older: Older | null } | null>(null);
  /** The size of the data on the disk, bytes. */
  size = $state<number | null>(null);

  /** How much of its quota evidence takes. */
  evidence = $state.raw<EvidenceUse | null>(null);

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
      this.evidence = await this.backend.evidenceUse(null);
    } catch (reason) {
      this.failure = failureOf(reason);
    }
  }

  /** Changes one of them; whether it was taken. What cannot be is said beside it, and all stays as it was. */
  async change<K extends keyof All>(name: K, value: All[K]): Promise<boolean> {
    if (this.kept === null) return false;
    const before = this.kept;
    this.#reportError(name, null);
    this.kept = { ...before, [name]: value };
    try {
      await this.backend.changeSettings(this.kept);
      return true;
    } catch (reason) {
      this.kept = { ...this.kept, [name]: before[name] };
      this.#reportError(name, sentences(failureOf(reason)));
      return false;
    }
  }

  async changeNumber(name: NumberSetting, typed: string): Promise<void> {
    this.typed = { ...this.typed, [name]: typed };
    const number = whole(typed);
    if (isKept(name)) this.shorter = null;
    if (!number.ok) {
      this.#reportError(name, number.why);
      return;
    }
    const { value } = number;
    const taken = isKept(name) ? await this.#keep(name, value) : await this.change(name, value);
    if (taken && this.typed[name] === typed) this.typed = without(this.typed, name);
  }

  /** A size with its unit. */
  async changeBytes(name: 'evidence_bytes' | 'device_evidence_bytes', typed: string): Promise<void> {
    this.typed = { ...this.typed, [name]: typed };
    const size = bytesOf(typed);
    if (!size.ok) {
      this.#reportError(name, size.why);
      return;
    }
    if ((await this.change(name, size.value)) && this.typed[name] === typed) this.typed = without(this.typed, name);
  }

  /** Restores the stored value. */
  undo(name: NumberSetting): void {
    this.typed = without(this.typed, name);
    this.#reportError(name, null);
    if (this.shorter?.name === name) this.shorter = null;
  }

  /** Sets the retention in days, or none; asks for confirmation if entries would be deleted. */
  async keepHistory(days: number | null): Promise<boolean> {
    this.#reportError('history_days', null);
    this.shorter = null;
    const question = ++this.#question;
    const before = this.kept?.history_days ?? null;
    if (days !== null && (before === null || days < before)) {
      try {
        const older = await this.backend.countOlder(days);
        if (question !== this.#question) return false;
        this.shorter = isNothing(older) ? null : { name: 'history_days', days, older };
        if (this.shorter !== null) return false;
      } catch (reason) {
        if (question === this.#question) this.#reportError('history_days', sentences(failureOf(reason)));
        return false;
      }
    }
    return this.change('history_days', days);
  }

  /** Answers whether it is to be as short as that. Says what was done, and what of the history went. */
  async shorten(so: boolean): Promise<{ name: Kept; gone: Older | null } | null> {
    const { shorter } = this;
    if (shorter === null) return null;
    const { name, days } = shorter;
    this.shorter = null;
    this.typed = without(this.typed, name);
    if (!so || !(await this.change(name, days))) return null;
    try {
      return { name, gone: name === 'history_days' ? await this.forgetOlder(days) : null };
    } catch (reason) {
      this.#reportError(name, sentences(failureOf(reason)));
      return null;
    }
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

  #keep(name: Kept, days: number): Promise<boolean> {
    return name === 'history_days' ? this.keepHistory(days) : this.#keepTelemetry(days);
  }

  /** The page does not know how much is older, so every shorter retention needs confirmation. */
  async #keepTelemetry(days: number): Promise<boolean> {
    const isShorter = days > 0 && days < (this.kept?.telemetry_days ?? 0);
    this.#reportError('telemetry_days', null);
    this.shorter = isShorter ? { name: 'telemetry_days', days, older: null } : null;
    return !isShorter && this.change('telemetry_days', days);
  }

  #reportError(name: keyof All, why: string | null): void {
    const rest = without(this.wrong, name);
    this.wrong = why === null ? rest : { ...rest, [name]: why };
  }
}

export const [getSettings, setSettings] = createContext<Settings>();

function without<T extends object>(all: T, name: keyof T): T {
  return Object.fromEntries(Object.entries(all).filter(([other]) => other !== name)) as T;
}

function isKept(name: NumberSetting): name is Kept {
  return name === 'history_days' || name === 'telemetry_days';
}

/** The notice about deleted history. */
export function cleared(gone: Older): Notice {
  return { level: 'info', message: `${olderText(gone)} cleared from the history.`, hint: null, connection: null };
}

/** A failure in one line. */
export function sentences({ message, hint }: Failure): string {
  return hint === null ? message : `${message} ${hint}`;
}
