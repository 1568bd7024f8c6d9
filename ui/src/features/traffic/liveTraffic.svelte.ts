import { createContext } from 'svelte';

import type { Failure } from '../../backend/bindings/Failure';
import type { TrafficBatch } from '../../backend/bindings/TrafficBatch';
import type { TrafficMessage } from '../../backend/bindings/TrafficMessage';
import type { Backend } from '../../state/backend';
import { failureOf } from '../../state/failure';

/** The maximum number of messages in the list. */
const KEPT = 2_000;

/** The messages of a connection while they are shown, newest first. A paused list stays until it continues or is cleared. */
export class Traffic {
  device = $state('');
  filter = $state('');
  /** Only messages with that in their topic, payload or meaning. */
  search = $state('');
  paused = $state(false);
  /** The filter was changed while the list is paused, and applies when it resumes. */
  holds = $state(false);
  messages = $state.raw<TrafficMessage[]>([]);
  /** Messages that matched and are not among these. */
  missing = $state(0);
  failure = $state.raw<Failure | null>(null);
  /** The message in the detail pane; it stays when it has left the list. */
  chosen = $state.raw<TrafficMessage | null>(null);

  readonly shown = $derived.by(() => {
    const wanted = this.search.trim().toLowerCase();
    return wanted === '' ? this.messages : this.messages.filter((message) => textOf(message).includes(wanted));
  });

  /** The connection and the filter of the messages. */
  #connection: string | null = null;
  #heard = '';
  #asked = '';

  /** Counts the beginnings: what an earlier one still says is no longer wanted. */
  #turn = 0;
  /** Stops watching. */
  #end = () => {};

  constructor(readonly backend: Backend) {}

  /** Watches the messages of a connection until it is stopped or watches something else. */
  async watch(connection: string, device: string, filter: string): Promise<void> {
    this.#end();
    const turn = ++this.#turn;
    const query = { connection, device: device === '' ? null : device, filter };
    // A paused list of one connection must not appear under another one.
    if (connection !== this.#connection) this.paused = false;
    this.#connection = connection;
    this.#asked = JSON.stringify(query);
    if (!this.paused) this.clear();
    this.holds = this.#asked !== this.#heard;
    this.failure = null;
    try {
      const end = await this.backend.traffic(query, (batch) => {
        if (turn === this.#turn) this.#take(batch);
      });
      if (turn === this.#turn) this.#end = end;
      else end();
    } catch (reason) {
      if (turn === this.#turn) this.failure = failureOf(reason);
    }
  }

  pause(): void {
    this.paused = true;
  }

  /** Resumes, with an empty list if the filter was changed meanwhile. */
  resume(): void {
    this.paused = false;
    if (this.holds) this.clear();
  }

  toggle(): void {
    if (this.paused) this.resume();
    else this.pause();
  }

  /** It opens empty next time, or with the paused list. */
  stop(): void {
    this.#turn += 1;
    if (!this.paused) this.clear();
    this.#end();
    this.#end = () => {};
  }

  /** Shows the messages of another device: those of the one before are not kept, paused or not. */
  become(device: string): void {
    if (device === this.device) return;
    this.resume();
    this.clear();
    this.device = device;
  }

  clear(): void {
    this.messages = [];
    this.missing = 0;
    this.chosen = null;
    this.#heard = this.#asked;
    this.holds = false;
  }

  #take({ messages, left_out: leftOut }: TrafficBatch): void {
    this.missing += leftOut;
    if (this.paused) {
      this.missing += messages.length;
      return;
    }
    if (messages.length === 0) return;
    const all = [...[...messages].reverse(), ...this.messages];
    this.missing += Math.max(0, all.length - KEPT);
    this.messages = all.slice(0, KEPT);
  }
}

/** The traffic of the whole connection, on its own page. */
export const [getTraffic, setTraffic] = createContext<Traffic>();
/** The traffic of the inspected device, in the lower pane. */
export const [getDeviceTraffic, setDeviceTraffic] = createContext<Traffic>();

function textOf({ wire, meaning }: TrafficMessage): string {
  return `${wire.topic}\n${wire.payload}\n${meaning}`.toLowerCase();
}
