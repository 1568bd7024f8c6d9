import { createContext } from 'svelte';

import type { Backend } from '../backend/backend';
import type { CatalogueEntry } from '../backend/bindings/CatalogueEntry';
import type { CommandButton } from '../backend/bindings/CommandButton';
import type { Failure } from '../backend/bindings/Failure';
import { nameError } from '../format/command';
import { speaksDialect } from '../format/dialects';
import { fuzzy } from '../format/fuzzy';
import { isObject, objectFrom, placeOf, readJson, toJson } from '../format/json';
import { complaints, defaults, type ArgumentsSchema, type SchemaError } from '../format/schema';
import { TYPED_COUNT_ABOVE } from '../backend/bindings/Constants';
import { visible } from '../format/text';
import type { Catalogue } from './catalogue.svelte';
import { failureOf } from './failure';
import type { Notices } from './notices.svelte';
import type { CommandToSend, Sending } from './sending.svelte';

type Arguments = Record<string, unknown>;

/** The recipients. */
export interface Targets {
  connection: string;
  devices: string[];
  /** The offline ones: Wilco holds a command for them. */
  offline: string[];
}

/** The chosen command: one of the catalogue, one that only the firmware has, or a plain text. */
export type Chosen = { kind: 'known'; entry: CatalogueEntry } | { kind: 'named'; name: string } | { kind: 'text' };

export interface Choice {
  key: string;
  name: string;
  title: string;
  icon: string;
  chosen: Chosen;
}

/** The values of the form. */
interface Draft {
  args: Arguments;
  raw: string;
  mode: 'form' | 'raw';
  text: string;
  noAnswer: boolean;
  /** Seconds, as they are typed; the command's own timeout where there are none. */
  timeout: string;
}

const ANYTHING: ArgumentsSchema = { type: 'object' };

/** A command on its way from *Command…* to the outbox. */
export class CommandComposer {
  targets = $state.raw<Targets | null>(null);
  typed = $state('');
  active = $state(0);
  chosen = $state.raw<Chosen | null>(null);
  /** The arguments. The form changes them, the raw text is read into them. */
  args = $state.raw<Arguments>({});
  raw = $state('{}');
  mode = $state<'form' | 'raw'>('form');
  text = $state('');
  noAnswer = $state(false);
  /** Seconds, as they are typed. */
  timeout = $state('');
  /** The form was handed in, so what is missing is said. */
  checked = $state(false);
  /** It needs confirmation. */
  confirming = $state(false);
  counted = $state('');
  sending = $state(false);
  failure = $state.raw<Failure | null>(null);
  /** The button that was pressed, or is being changed. */
  button = $state.raw<CommandButton | null>(null);
  /** A button is being changed: nothing is sent. */
  editing = $state(false);
  /** It is as it was left the last time. */
  resumed = $state(false);
  /** As it was before anything was filled in. */
  #blank: Draft = blankOf({ kind: 'text' }, {});
  #first = $state('');
  /** The form has not yet said what it makes of that. */
  #fresh = false;
  /** Abandoned values, by recipients and command. */
  readonly #kept = new Map<string, Draft>();

  readonly choices: Choice[] = $derived.by(() => this.#choices());
  readonly pointed = $derived(this.choices[Math.min(this.active, this.choices.length - 1)] ?? null);
  readonly entry = $derived(this.chosen?.kind === 'known' ? this.chosen.entry : null);
  readonly schema: ArgumentsSchema = $derived(this.entry ? objectFrom(this.entry.definition.schema) : ANYTHING);
  readonly read = $derived(readJson(this.raw.trim() === '' ? '{}' : this.raw));
  readonly wrong: SchemaError[] = $derived(this.chosen === null ? [] : complaints(this.schema, this.args));
  /** Something is filled in that would be lost. */
  readonly isFilled = $derived.by(
    () => this.targets !== null && this.chosen !== null && this.#written() !== this.#first,
  );
  readonly dangerous = $derived(this.entry?.definition.dangerous ?? false);
  readonly name: string = $derived(
    this.chosen?.kind === 'known'
      ? this.chosen.entry.definition.name
      : this.chosen?.kind === 'named'
        ? this.chosen.name
        : this.chosen?.kind === 'text'
          ? 'text'
          : '',
  );
  /** Its title. */
  readonly title = $derived(this.entry?.definition.title ?? (this.chosen?.kind === 'text' ? 'Free text' : this.name));

  constructor(
    readonly backend: Backend,
    readonly catalogue: Catalogue,
    readonly notices: Notices,
    readonly outgoing: Sending,
  ) {}

  /** Opens it: for nothing in particular, or for a command with what is known of its arguments. */
  open(targets: Targets, chosen: Chosen | null = null, args: Arguments | null = null): void {
    this.#appear(targets, null);
    if (chosen !== null) this.choose(chosen, args);
  }

  /** Opens it for any command. Where devices speak text, a text is what one begins with. */
  openFor(targets: Targets | null): void {
    if (targets === null) return;
    const text = speaksDialect(this.outgoing.connections.current?.dialects ?? [], 'text');
    this.open(targets, text ? { kind: 'text' } : null);
  }

  /** Opens it to change a button, without devices. */
  edit(connection: string, button: CommandButton): void {
    this.#openButton({ connection, devices: [], offline: [] }, button, true);
  }

  /** Discards the values. */
  close(): void {
    this.#kept.delete(this.#place);
    this.#vanish();
  }

  /** Keeps the values for the next time that the same command is opened. */
  leave(): void {
    if (this.#keep()) {
      const message = `Your input for ${visible(this.title)} was kept. Open the form again to continue.`;
      this.notices.add([{ level: 'info', message, hint: null }]);
    }
    this.#vanish();
  }

  choose(chosen: Chosen, args: Arguments | null = null): void {
    this.#begin(chosen, blankOf(chosen, args), args === null);
  }

  back(): void {
    this.#keep();
    this.chosen = null;
    this.confirming = false;
    this.failure = null;
  }

  /** Throws away what was left the last time. */
  anew(): void {
    this.#kept.delete(this.#place);
    // Another object, so that another form is made.
    if (this.chosen !== null) this.#begin({ ...this.chosen }, this.#blank, false);
  }

  move(by: number): void {
    const { length } = this.choices;
    if (length > 0) this.active = (Math.min(this.active, length - 1) + by + length) % length;
  }

  /** The form has changed. */
  fill(args: Arguments): void {
    if (this.#fresh) {
      this.#fresh = false;
      this.args = args;
      this.#first = this.#written();
      return;
    }
    if (toJson(args) === toJson(this.args)) return;
    this.args = args;
    this.confirming = false;
  }

  /** The raw text has changed. What makes no object leaves the arguments as they were. */
  write(raw: string): void {
    this.raw = raw;
    this.confirming = false;
    const { read } = this;
    if (read.ok && isObject(read.value)) this.args = read.value;
  }

  /** Switches between form and JSON. Invalid text stays in its field. */
  turn(): void {
    if (this.mode === 'form') {
      this.raw = toJson(this.args, 2);
      this.mode = 'raw';
    } else if (this.rawError === null && this.entry !== null) {
      this.mode = 'form';
    }
  }

  /** Why the raw text cannot be taken at all; nothing where it can. */
  get rawError(): string | null {
    const { read } = this;
    if (!read.ok) return `Line ${read.line}, column ${read.column}: ${read.why}`;
    return isObject(read.value) ? null : 'Arguments must be an object: names and values between { and }.';
  }

  /** The errors of the raw text by its schema: `line 3, level: At most 10.` */
  get rawWrong(): string[] {
    const { read } = this;
    if (!read.ok || this.rawError !== null) return [];
    return this.wrong.map(({ path, why }) => {
      const place = placeOf(path);
      const line = read.lines.get(place) ?? read.lines.get(placeOf(path.slice(0, -1))) ?? 1;
      return `Line ${line}${place === '' ? '' : `, ${place}`}: ${why}`;
    });
  }

  /** Arguments that do not fit go out anyway where the firmware may know better: a command that came with Wilco. */
  get mayInsist(): boolean {
    return this.mode === 'raw' && this.rawError === null && this.entry?.built_in === true;
  }

  /** Why the timeout cannot be used. */
  get timeoutWrong(): string | null {
    return readTimeout(this.timeout) === undefined ? 'Enter a number of seconds above 0.' : null;
  }

  get isReady(): boolean {
    if (this.chosen === null || this.timeoutWrong !== null) return false;
    if (this.chosen.kind === 'text') return this.text.trim() !== '';
    if (this.mode === 'raw' && this.rawError !== null) return false;
    if (this.chosen.kind === 'named') return nameError(this.chosen.name) === null;
    return this.wrong.length === 0 || this.mayInsist;
  }

  get isCounted(): boolean {
    const { length } = this.targets?.devices ?? [];
    return length <= TYPED_COUNT_ABOVE || this.counted.trim() === String(length);
  }

  /** The command as it would be sent, to its few devices; null while it is not ready. */
  get prepared(): CommandToSend | null {
    const { targets } = this;
    const few = targets !== null && targets.devices.length > 0 && targets.devices.length <= TYPED_COUNT_ABOVE;
    if (!few || this.editing || !this.isReady) return null;
    return toSend(targets, this.name, this.#arguments(), this.noAnswer, readTimeout(this.timeout));
  }

  /** Sends it, or asks for confirmation. Returns whether the engine accepted it. */
  async send(): Promise<boolean> {
    this.checked = true;
    const { targets } = this;
    if (targets === null || targets.devices.length === 0 || !this.isReady || this.sending) return false;
    const asks = this.dangerous || targets.devices.length > TYPED_COUNT_ABOVE;
    if (asks && !this.confirming) {
      this.confirming = true;
      return false;
    }
    if (asks && !this.isCounted) return false;
    const taken = await this.#submit(targets, asks);
    if (taken) this.close();
    return taken;
  }

  /** A button as it would be now. */
  drafted(label: string, icon: string): CommandButton {
    const connection = this.entry?.definition.connection ?? null;
    return {
      id: this.button?.id ?? '',
      connection,
      label,
      icon,
      command: this.name,
      args: toJson(this.#arguments()),
      no_answer: this.noAnswer,
    };
  }

  /** Sends a button's command. One that interrupts the device opens the confirmation instead. */
  async press(targets: Targets | null, button: CommandButton): Promise<void> {
    if (targets === null) return;
    if (this.catalogue.isDangerous(targets.connection, button.command) || targets.devices.length > TYPED_COUNT_ABOVE) {
      this.#openButton(targets, button);
      this.confirming = this.isReady;
      return;
    }
    try {
      await this.#ask(targets, button.command, objectFrom(button.args), button.no_answer);
    } catch (reason) {
      this.notices.reportError(reason);
    }
  }

  #openButton(targets: Targets, button: CommandButton, editing = false): void {
    this.#appear(targets, button);
    this.editing = editing;
    const chosen = this.#named(targets.connection, button.command);
    const args = objectFrom(button.args);
    const text = button.command === 'text' && typeof args['text'] === 'string' ? args['text'] : '';
    this.#begin(chosen, { ...blankOf(chosen, args), text, noAnswer: button.no_answer }, editing);
  }

  #appear(targets: Targets, button: CommandButton | null): void {
    this.targets = targets;
    this.typed = '';
    this.active = 0;
    this.button = button;
    this.editing = false;
    this.failure = null;
    this.chosen = null;
    // Another program may have changed it meanwhile.
    void this.catalogue.load().catch((reason: unknown) => (this.failure = failureOf(reason)));
  }

  #vanish(): void {
    this.targets = null;
    this.chosen = null;
    this.confirming = false;
  }

  /** `resumes`: with what was filled in and left, where there is any. */
  #begin(chosen: Chosen, blank: Draft, resumes: boolean): void {
    this.chosen = chosen;
    this.checked = false;
    this.confirming = false;
    this.counted = '';
    this.failure = null;
    this.#blank = blank;
    this.#show(blank);
    this.#first = this.#written();
    const kept = resumes ? this.#kept.get(this.#place) : undefined;
    this.resumed = kept !== undefined;
    this.#fresh = kept === undefined && blank.mode === 'form';
    if (kept) this.#show(kept);
  }

  #show({ args, raw, mode, text, noAnswer, timeout }: Draft): void {
    Object.assign(this, { args, raw, mode, text, noAnswer, timeout });
  }

  /** Keeps what is filled in. Says whether there is any. */
  #keep(): boolean {
    if (!this.isFilled) return false;
    const { args, raw, mode, text, noAnswer, timeout } = this;
    this.#kept.set(this.#place, { args, raw, mode, text, noAnswer, timeout });
    return true;
  }

  get #place(): string {
    return JSON.stringify([
      this.targets?.connection,
      this.targets?.devices,
      this.button?.id,
      this.name,
      this.chosen?.kind,
    ]);
  }

  /** All that is filled in; of the raw text what can be read, where it can. */
  #written(): string {
    const { args, text, noAnswer, timeout } = this;
    const unread = this.mode === 'raw' && this.rawError !== null ? this.raw : '';
    return toJson([args, text, noAnswer, timeout, unread]);
  }

  async #submit(targets: Targets, asked: boolean): Promise<boolean> {
    this.sending = true;
    this.failure = null;
    try {
      const timeout = readTimeout(this.timeout);
      return await this.#ask(targets, this.name, this.#arguments(), this.noAnswer, asked, timeout);
    } catch (reason) {
      this.failure = failureOf(reason);
      this.confirming = false;
      return false;
    } finally {
      this.sending = false;
    }
  }

  /** Says whether it was sent: a person may have thought better of it. */
  async #ask(
    targets: Targets,
    command: string,
    args: Arguments,
    noAnswer: boolean,
    asked = false,
    timeout: number | null = null,
  ): Promise<boolean> {
    return (await this.outgoing.send(toSend(targets, command, args, noAnswer, timeout), asked)) !== null;
  }

  #arguments(): Arguments {
    return this.chosen?.kind === 'text' ? { text: this.text } : this.args;
  }

  #named(connection: string, name: string): Chosen {
    const entry = this.catalogue.find(connection, name);
    if (entry) return { kind: 'known', entry };
    return name === 'text' ? { kind: 'text' } : { kind: 'named', name };
  }

  /** The user's own commands first; an unknown name can be sent as well. */
  #choices(): Choice[] {
    const { targets, typed } = this;
    if (targets === null) return [];
    const known = [...this.catalogue.of(targets.connection)].sort((a, b) => Number(a.built_in) - Number(b.built_in));
    const listed: Choice[] = known.map((entry) => {
      const { name, title, icon } = entry.definition;
      return { key: entry.id, name, title, icon, chosen: { kind: 'known', entry } };
    });
    listed.push({ key: ' text', name: 'text', title: 'Free text', icon: 'script', chosen: { kind: 'text' } });
    const word = typed.trim();
    if (word === '') return listed;
    const scored = listed.flatMap((choice) => {
      const match = fuzzy(word, `${choice.title} ${choice.name}`);
      return match ? [{ choice, score: match.score + (choice.name === word ? 10 : 0) }] : [];
    });
    const found = scored.sort((a, b) => b.score - a.score).map(({ choice }) => choice);
    if (nameError(word) === null && !found.some(({ name }) => name === word))
      found.push({
        key: ' named',
        name: word,
        title: 'Send this name',
        icon: 'send',
        chosen: { kind: 'named', name: word },
      });
    return found;
  }
}

/** The command that is being filled in where one is. */
export const [getComposer, setComposer] = createContext<CommandComposer>();

function toSend(
  { connection, devices }: Targets,
  command: string,
  args: Arguments,
  noAnswer: boolean,
  timeout_ms: number | null = null,
): CommandToSend {
  const usual = { ttl_ms: null, retries: null, delivery: null, again_of: null, automatic: false };
  return { ...usual, timeout_ms, connection, devices, command, args: toJson(args), no_answer: noAnswer };
}

/** Milliseconds; null where nothing is typed, and undefined where it is no time. */
function readTimeout(typed: string): number | null | undefined {
  const text = typed.trim();
  if (text === '') return null;
  const ms = Math.round(Number(text) * 1_000);
  return /^\d*\.?\d+$/.test(text) && ms >= 1 && ms <= 1e12 ? ms : undefined;
}

/** As a command begins, with what is known of its arguments. */
function blankOf(chosen: Chosen, known: Arguments | null): Draft {
  const definition = chosen.kind === 'known' ? chosen.entry.definition : null;
  const args = known ?? defaults(definition === null ? ANYTHING : objectFrom(definition.schema));
  return {
    args,
    raw: toJson(args, 2),
    mode: definition === null ? 'raw' : 'form',
    text: '',
    timeout: '',
    noAnswer: definition !== null && !definition.answer_expected,
  };
}
