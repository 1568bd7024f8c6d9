/** A dialect that is being described: its file, the form for it, and how it decodes received messages. */

import type { DialectDraft } from '../../backend/bindings/DialectDraft';
import type { DialectFields } from '../../backend/bindings/DialectFields';
import type { DraftSource } from '../../backend/bindings/DraftSource';
import type { Failure } from '../../backend/bindings/Failure';
import type { MessageReading } from '../../backend/bindings/MessageReading';
import type { SampleMessage } from '../../backend/bindings/SampleMessage';
import type { TrafficMessage } from '../../backend/bindings/TrafficMessage';
import type { Backend } from '../../state/backend';
import { engineTime } from '../../state/clock.svelte';
import { failureOf } from '../../state/failure';

/** Messages that are kept, the latest. */
const KEPT = 500;
/** A draft is tried on what came no more often than that, milliseconds. */
const TRIED_EVERY = 500;
/** Learning watches for so long, milliseconds. */
const LEARNS_FOR = 60_000;

export interface Sample extends SampleMessage {
  number: number;
}

export class Describing {
  text = $state('');
  fields = $state.raw<DialectFields | null>(null);
  name = $state<string | null>(null);
  problems = $state.raw<DialectDraft['problems']>([]);
  remarks = $state.raw<string[]>([]);
  readings = $state.raw<Map<number, MessageReading>>(new Map());
  /** Oldest first. */
  samples = $state.raw<Sample[]>([]);
  failure = $state.raw<Failure | null>(null);
  filter = $state('#');
  listening = $state(false);
  /** Until when messages are gathered for the whole to be proposed. */
  learnsUntil = $state<number | null>(null);
  request = $state<number | null>(null);
  answer = $state<number | null>(null);
  /** It has unsaved changes. */
  changed = $state(false);

  readonly counts = $derived.by(() => {
    const readings = [...this.readings.values()];
    const unreadable = readings.filter(({ kind }) => kind === 'unreadable').length;
    const other = readings.filter(({ kind }) => kind === 'other').length;
    return { read: readings.length - unreadable - other, unreadable, other };
  });

  #turn = 0;
  #subscribed: string | null = null;
  #end = () => {};
  #trying: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly backend: Backend,
    readonly connection: string,
    /** The dialect that is edited; none for a new one. */
    readonly replaces: string | null,
    text: string,
  ) {
    this.text = text;
  }

  /** Receives the messages that match the filter, beside those of the connection. */
  async listen(): Promise<void> {
    await this.stop();
    this.failure = null;
    const filter = this.filter === '' ? '#' : this.filter;
    try {
      const query = { connection: this.connection, device: null, filter };
      this.#end = await this.backend.traffic(query, ({ messages }) => this.#take(messages));
      await this.backend.subscribe(this.connection, filter);
      this.#subscribed = filter;
      this.listening = true;
    } catch (reason) {
      this.#end();
      this.failure = failureOf(reason);
    }
  }

  async stop(): Promise<void> {
    this.#end();
    this.#end = () => {};
    this.listening = false;
    const filter = this.#subscribed;
    this.#subscribed = null;
    if (filter !== null) await this.backend.unsubscribe(this.connection, filter).catch(() => undefined);
  }

  close(): void {
    clearTimeout(this.#trying);
    this.#turn += 1;
    void this.stop();
  }

  clear(): void {
    this.samples = [];
    this.readings = new Map();
    this.request = null;
    this.answer = null;
  }

  edit(text: string): Promise<void> {
    this.changed = true;
    this.text = text;
    return this.#draft({ from: 'text', text });
  }

  fill(fields: DialectFields): Promise<void> {
    this.changed = true;
    this.fields = fields;
    return this.#draft({ from: 'fields', fields, before: this.text });
  }

  /** Reads the file as it was given. */
  open(): Promise<void> {
    return this.#draft(this.text === '' ? { from: 'new' } : { from: 'text', text: this.text });
  }

  /** Chooses a message as the request or as the answer; with both, Wilco proposes a file. */
  async choose(as: 'request' | 'answer', number: number): Promise<void> {
    this[as] = this[as] === number ? null : number;
    if (this.request === this.answer) this[as === 'request' ? 'answer' : 'request'] = null;
    const place = (wanted: number | null) => this.samples.findIndex(({ number }) => number === wanted);
    const [request, answer] = [place(this.request), place(this.answer)];
    if (request < 0 || answer < 0) return;
    this.changed = true;
    await this.#draft({ from: 'messages', name: this.name ?? 'my-firmware', request, answer });
  }

  /** Begins to gather, or ends it now. */
  async learn(): Promise<void> {
    if (this.learnsUntil !== null) return this.learned();
    this.clear();
    if (!this.listening) await this.listen();
    if (this.listening) this.learnsUntil = engineTime.now + LEARNS_FOR;
  }

  /** The minute is over: the whole is proposed. */
  async learned(): Promise<void> {
    this.learnsUntil = null;
    this.changed = true;
    await this.#draft({ from: 'everything', name: this.name ?? 'my-firmware' });
  }

  async #draft(source: DraftSource): Promise<void> {
    const turn = ++this.#turn;
    const { samples } = this;
    try {
      const draft = await this.backend.draftDialect(
        source,
        samples.map(({ at, topic, payload, retained }) => ({ at, topic, payload, retained })),
      );
      if (turn !== this.#turn) return;
      this.failure = null;
      this.text = draft.text;
      this.fields = draft.fields ?? (source.from === 'fields' ? source.fields : null);
      this.name = draft.name ?? this.name;
      this.problems = draft.problems;
      this.remarks = draft.remarks;
      const read = draft.readings.map((reading, i) => [samples[i]?.number ?? -1, reading] as const);
      this.readings = new Map(read);
    } catch (reason) {
      if (turn === this.#turn) this.failure = failureOf(reason);
    }
  }

  #take(messages: TrafficMessage[]): void {
    const usable = messages.filter(({ cut, wire }) => cut === 0 && !wire.binary);
    if (usable.length === 0) return;
    const samples = usable.map(({ number, at, wire, retained }) => {
      return { number, at, topic: wire.topic, payload: wire.payload, retained };
    });
    // The chosen messages stay visible.
    const kept = [...this.samples, ...samples];
    const chosen = (sample: Sample) => sample.number === this.request || sample.number === this.answer;
    const cut = kept.length - KEPT;
    this.samples = cut <= 0 ? kept : kept.filter((sample, i) => i >= cut || chosen(sample));
    if (this.#trying !== undefined || this.text.trim() === '') return;
    this.#trying = setTimeout(() => {
      this.#trying = undefined;
      void this.#try();
    }, TRIED_EVERY);
  }

  /** Reads the received messages with the current file. Text that is being typed is kept. */
  async #try(): Promise<void> {
    const turn = this.#turn;
    const { samples, text } = this;
    const plain = samples.map(({ at, topic, payload, retained }) => ({ at, topic, payload, retained }));
    const draft = await this.backend.draftDialect({ from: 'text', text }, plain).catch(() => null);
    if (draft === null || turn !== this.#turn) return;
    this.readings = new Map(draft.readings.map((reading, i) => [samples[i]?.number ?? -1, reading] as const));
  }
}
