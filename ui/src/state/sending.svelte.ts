/** Every command that the page sends goes through here: it applies the connection's mode and asks for confirmations. */

import { createContext } from 'svelte';

import type { Backend } from '../backend/backend';
import type { CommandView } from '../backend/bindings/CommandView';
import type { Confirmation } from '../backend/bindings/Confirmation';
import type { NewCommand } from '../backend/bindings/NewCommand';
import type { Sent } from '../backend/bindings/Sent';
import { targetText, title } from '../format/command';
import { counted } from '../format/count';
import { visible, visibleName } from '../format/text';
import type { Connections } from './connections.svelte';

/** The maximum number of warnings that are shown one by one. */
const WARNINGS = 5;

/** The id of the sentence that says why nothing can be sent. Controls that are disabled for it refer to it. */
export const REFUSAL_ID = 'sending-refused';

/** A command before anybody has confirmed it. */
export type CommandToSend = Omit<NewCommand, 'confirmed' | 'note'>;

/** The user's answer. */
type ConfirmedSend = Pick<NewCommand, 'confirmed' | 'note'>;
const UNASKED: ConfirmedSend = { confirmed: 'no', note: null };

/** The question before a command is sent. */
export interface SendQuestion {
  /** The connection's name. */
  connection: string;
  /** The command with its arguments. */
  command: string;
  devices: string[];
  confirmation: Confirmation;
  /** Warnings, as sentences with the devices' names. */
  warnings: string[];
}

export class Sending {
  question = $state.raw<SendQuestion | null>(null);
  /** The typed name of the connection. */
  typed = $state('');
  /** Why it is sent, for the audit. */
  note = $state('');
  /** The reason why nothing can be sent over the current connection; null if it can. */
  readonly refusal: string | null = $derived.by(() => this.refusalOf(this.connections.current?.id));
  #answer: ((said: ConfirmedSend | null) => void) | null = null;

  constructor(
    readonly backend: Backend,
    readonly connections: Connections,
  ) {}

  /** Why nothing can be sent over that connection. */
  refusalOf(id: string | undefined): string | null {
    const connection = this.connections.list.find((one) => one.id === id);
    if (connection?.mode !== 'read_only') return null;
    return `${visibleName(connection.name)} is read-only: nothing is sent to its devices.`;
  }

  /** The attributes of a control that sends something, where nothing can be sent: it stays focusable and says why. */
  gate(id = this.connections.current?.id) {
    const why = this.refusalOf(id);
    if (why === null) return {};
    return { 'aria-disabled': true as const, 'aria-describedby': REFUSAL_ID, title: why, onclickcapture: swallow };
  }

  /** Sends a command. `asked`: the user has already confirmed it. Returns null if the user cancels. */
  async send(command: CommandToSend, asked = false): Promise<Sent | null> {
    const said = await this.#confirm(command, asked);
    return said === null ? null : this.backend.send({ ...command, ...said });
  }

  /** Sends a command again, under a new id. */
  async sendAgain(view: CommandView, asked = false): Promise<Sent | null> {
    const { connection, device, id, command, args } = view;
    const usual = { timeout_ms: null, ttl_ms: null, retries: null, delivery: null, no_answer: false };
    const again = { ...usual, connection, devices: [device], command, args, again_of: id, automatic: false };
    const said = await this.#confirm(again, asked);
    return said === null ? null : this.backend.sendAgain(connection, device, id, said.confirmed, said.note);
  }

  /** The question is answered as it has to be. */
  get isAnswered(): boolean {
    const { question } = this;
    return question !== null && (question.confirmation !== 'type_name' || this.typed.trim() === question.connection);
  }

  confirm(): void {
    const { question } = this;
    if (question === null || !this.isAnswered) return;
    const confirmed = question.confirmation === 'type_name' ? { name: this.typed.trim() } : 'yes';
    this.#end({ confirmed, note: this.note.trim() === '' ? null : this.note.trim() });
  }

  cancel(): void {
    this.#end(null);
  }

  #end(said: ConfirmedSend | null): void {
    const answer = this.#answer;
    this.#answer = null;
    this.question = null;
    this.typed = '';
    this.note = '';
    answer?.(said);
  }

  async #confirm(command: CommandToSend, asked: boolean): Promise<ConfirmedSend | null> {
    const { confirmation, devices } = await this.backend.checkCommand({ ...command, ...UNASKED });
    const busy = devices.flatMap(({ device, name, busy }) => (busy === null ? [] : { device: name ?? device, busy }));
    const warnings = busy.slice(0, WARNINGS).map(({ device, busy }) => `${visibleName(device)}: ${visible(busy)}`);
    if (busy.length > WARNINGS) warnings.push(`${counted(busy.length - WARNINGS, 'other device')} also busy.`);
    if (confirmation === 'none' && busy.length === 0) return UNASKED;
    if (confirmation === 'ask' && asked && busy.length === 0) return { ...UNASKED, confirmed: 'yes' };
    const connection = this.connections.list.find(({ id }) => id === command.connection)?.name ?? command.connection;
    return new Promise((resolve) => {
      // Only the last one can be answered.
      this.cancel();
      this.#answer = resolve;
      this.question = { connection, command: title(command), devices: command.devices, confirmation, warnings };
    });
  }
}

export const [getSending, setSending] = createContext<Sending>();

/** `LED on to pump-7`. */
export function questionText({ command, devices }: SendQuestion): string {
  return `${command} to ${targetText(devices)}`;
}

function swallow(event: Event): void {
  event.preventDefault();
  event.stopImmediatePropagation();
}
