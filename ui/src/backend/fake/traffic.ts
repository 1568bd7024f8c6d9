/** The traffic of the invented fleet: mostly measurements, sometimes other messages. */

import type { TrafficBatch } from '../bindings/TrafficBatch';
import type { TrafficMessage } from '../bindings/TrafficMessage';
import type { TrafficQuery } from '../bindings/TrafficQuery';
import { failure } from './failure';
import type { FakeDevice } from './fleet';

const BATCH_EVERY = 100;

export class FakeTraffic {
  #number = 0;

  watch(
    query: TrafficQuery,
    fleet: () => FakeDevice[],
    next: () => number,
    tell: (batch: TrafficBatch) => void,
  ): () => void {
    const misplaced = /[^/]#|#./.test(query.filter);
    if (misplaced) {
      throw failure(
        'invalid',
        `In '${query.filter}', # must be the last level.`,
        'Enter a topic filter such as plant/+/resp or plant/#.',
      );
    }
    const wanted = pattern(query.filter);
    const timer = setInterval(() => {
      const devices = fleet().filter(({ row }) => row.presence === 'online');
      const passing = query.device === null ? devices : devices.filter(({ row }) => row.device === query.device);
      const messages: TrafficMessage[] = [];
      for (let i = 0; i < Math.min(6, passing.length); i++) {
        const device = passing[Math.floor(next() * passing.length)];
        if (device) messages.push(...this.#exchange(device.row.device, next));
      }
      tell({ messages: messages.filter(({ wire }) => wanted.test(wire.topic)), left_out: next() < 0.05 ? 40 : 0 });
    }, BATCH_EVERY);
    return () => clearInterval(timer);
  }

  /** Reports messages on any topics. */
  tell(messages: readonly [topic: string, payload: string][], to: (batch: TrafficBatch) => void): void {
    const told = messages.map(([topic, payload]) => {
      const message = this.#message('', '', payload, '', 0);
      return { ...message, wire: { ...message.wire, topic } };
    });
    setTimeout(() => to({ messages: told, left_out: 0 }), 0);
  }

  #exchange(device: string, next: () => number): TrafficMessage[] {
    const roll = next();
    if (roll < 0.85) {
      const values = { temperature: 20 + Math.round(next() * 60) / 10, humidity: 40 + Math.round(next() * 200) / 10 };
      return [this.#message(device, 'telemetry', values, 'Telemetry: temperature, humidity.', 0)];
    }
    if (roll < 0.88) {
      const broken = this.#message(device, 'resp', '{"id":', 'Unreadable: The payload is not a JSON object.', 1);
      return [{ ...broken, unreadable: true }];
    }
    const id = `0198${Math.floor(next() * 1e12).toString(16)}`;
    const asked = { id, command: 'led', args: { on: next() > 0.5 } };
    return [
      { ...this.#message(device, 'req', asked, `Request: led, ID ${id}.`, 1), outgoing: true },
      this.#message(device, 'resp', { id, status: 'accepted' }, `Answer: accepted, ID ${id}.`, 1),
      this.#message(device, 'resp', { id, status: 'succeeded' }, `Answer: succeeded, ID ${id}.`, 1),
    ];
  }

  #message(device: string, channel: string, what: unknown, meaning: string, qos: number): TrafficMessage {
    const payload = typeof what === 'string' ? what : JSON.stringify(what);
    const topic = `${device}/${channel}`;
    return {
      number: ++this.#number,
      at: Date.now(),
      outgoing: false,
      wire: { topic, qos, bytes: payload.length, payload, binary: false, cut: null },
      cut: 0,
      retained: false,
      dup: false,
      packet_bytes: payload.length + topic.length + 12,
      properties: qos === 0 ? [] : [['Content Type', 'application/json']],
      meaning,
      unreadable: false,
    };
  }
}

function pattern(filter: string): RegExp {
  if (filter === '') return /^/;
  const levels = filter
    .split('/')
    .map((level) =>
      level === '+' ? '[^/]*' : level === '#' ? '.*' : level.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`),
    );
  return new RegExp(`^${levels.join('/')}$`);
}
