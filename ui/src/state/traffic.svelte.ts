import type { Backend } from '../backend/backend';
import type { Failure } from '../backend/bindings/Failure';
import type { TrafficBatch } from '../backend/bindings/TrafficBatch';
import type { TrafficMessage } from '../backend/bindings/TrafficMessage';
import { failureOf } from './failure';

/** Messages that are kept to be looked at. */
const KEPT = 2_000;

/** What is on the wire, as long as it is looked at: newest first. */
export class Traffic {
  device = $state('');
  filter = $state('');
  /** Only messages with that in their topic, payload or meaning. */
  search = $state('');
  paused = $state(false);
  messages = $state.raw<TrafficMessage[]>([]);
  /** Messages that matched and are not among these. */
  missing = $state(0);
  failure = $state.raw<Failure | null>(null);
  /** The message that is looked at closely; it stays when the list has gone on without it. */
  chosen = $state.raw<TrafficMessage | null>(null);

  readonly shown = $derived.by(() => {
    const wanted = this.search.trim().toLowerCase();
    return wanted === '' ? this.messages : this.messages.filter((message) => textOf(message).includes(wanted));
  });

  /** Counts the beginnings: what an earlier one still says is no longer wanted. */
  #turn = 0;

  constructor(readonly backend: Backend) {}

  /** Looks at a connection's wire until it is stopped or something else is looked at. */
  async watch(connection: string, device: string, filter: string): Promise<void> {
    const turn = ++this.#turn;
    this.clear();
    this.failure = null;
    const query = { connection, device: device.trim() === '' ? null : device.trim(), filter: filter.trim() };
    try {
      await this.backend.watchTraffic(query, (batch) => {
        if (turn === this.#turn) this.#take(batch);
      });
    } catch (reason) {
      if (turn === this.#turn) this.failure = failureOf(reason);
    }
  }

  /** The next visit begins with nothing. */
  async stop(): Promise<void> {
    this.#turn += 1;
    this.clear();
    this.paused = false;
    await this.backend.stopTraffic().catch(() => undefined);
  }

  clear(): void {
    this.messages = [];
    this.missing = 0;
    this.chosen = null;
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

function textOf({ wire, meaning }: TrafficMessage): string {
  return `${wire.topic}\n${wire.payload}\n${meaning}`.toLowerCase();
}
