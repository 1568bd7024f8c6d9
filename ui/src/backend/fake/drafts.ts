/** Custom dialects, as far as an invented engine reads them: topics, a few words, and format errors. */

import type { DialectDraft } from '../bindings/DialectDraft';
import type { DialectFields } from '../bindings/DialectFields';
import type { DraftSource } from '../bindings/DraftSource';
import type { MessageReading } from '../bindings/MessageReading';
import type { ReadingKind } from '../bindings/ReadingKind';
import type { SampleMessage } from '../bindings/SampleMessage';
import { failure } from './failure';

const STARTER: DialectFields = {
  name: 'my-firmware',
  title: 'My firmware',
  about: '',
  request_topic: '{device}/in',
  request_payload: '{"cmd":{command},"id":{id},{args...}}',
  is_json: true,
  request_id: 'text',
  answer_topic: '{device}/out',
  answer_id: '/id',
  outcomes: [{ at: '/status', is: 'ok', means: 'succeeded', message: '' }],
  state_topic: '',
  state_key: '',
  expect_key: '',
  expect_value: '',
  silent: '',
  presence_topic: '',
  presence_at: '',
  online: '',
  offline: '',
  telemetry: [],
};

/** Messages of made-up pumps, oldest first. */
export const PUMP_MESSAGES: [topic: string, payload: string][] = [
  ['pumps/p-7/alive', 'online'],
  ['pumps/p-7/out', '{"ticket":4710}'],
  ['pumps/p-7/data', '{"bar":2.5,"rpm":1410}'],
  ['pumps/p-7/in', '{"cmd":"start","ticket":4711}'],
  ['pumps/p-7/out', '{"ticket":4711,"state":"OK"}'],
];

export class FakeDrafts {
  /** The form from which a file was written, so that it can be a form again. */
  readonly #written = new Map<string, DialectFields>();

  draft(source: DraftSource, messages: SampleMessage[]): DialectDraft {
    if (source.from === 'new') return this.#of(STARTER, [], messages);
    if (source.from === 'fields') return this.#of(source.fields, [], messages);
    if (source.from === 'text') return this.#read(source.text, messages);
    const found = messages.findIndex(({ topic }) => topic.endsWith('/in'));
    const request = messages[source.from === 'messages' ? source.request : found];
    const answer = messages[source.from === 'messages' ? (source.answer ?? -1) : found + 1];
    if (!request || !answer) {
      throw failure(
        'invalid',
        `${messages.length} messages were received, and no two of them are a request and an answer with the same ID.`,
        'Choose the messages yourself, or write the file.',
      );
    }
    const device = request.topic
      .split('/')
      .find((level) => answer.topic.split('/').includes(level) && /\d/.test(level));
    const template = (topic: string) => topic.replace(device ?? '', '{device}');
    const fields: DialectFields = {
      ...STARTER,
      name: source.name,
      title: source.name,
      about: 'Learned from messages.',
      request_topic: template(request.topic),
      request_payload: '{"cmd":{command},"ticket":{id},{args...}}',
      request_id: 'int31',
      answer_topic: template(answer.topic),
      answer_id: '/ticket',
      outcomes: [{ at: '/state', is: 'OK', means: 'succeeded', message: '' }],
      presence_topic: 'pumps/{device}/alive',
      online: 'online',
      offline: 'offline',
      telemetry: ['pumps/{device}/data'],
    };
    const remarks = [
      `Requests go to '${request.topic}' and are answered on '${answer.topic}' under 'ticket' (1 message seen).`,
      "The command stands under 'cmd'.",
      "How it went stands under 'state': OK. Add the values that were not seen.",
    ];
    return this.#of(fields, remarks, messages);
  }

  #of(fields: DialectFields, remarks: string[], messages: SampleMessage[]): DialectDraft {
    const text = fileOf(fields);
    this.#written.set(text, fields);
    const readings = messages.map((message) => read(fields, message));
    return { text, fields, name: fields.name, problems: [], remarks, readings };
  }

  #read(text: string, messages: SampleMessage[]): DialectDraft {
    const known = this.#written.get(text);
    if (known) return this.#of(known, [], messages);
    const none = { text, fields: null, name: null, remarks: [], readings: [] };
    if (!text.startsWith('format = 1')) {
      const what = 'The format is version 2, but this Wilco reads version 1. Use a newer Wilco, or write version 1.';
      return { ...none, problems: [{ line: 1, what }] };
    }
    const readings = messages.map((): MessageReading => ({ kind: 'other', device: null, said: '' }));
    return { ...none, problems: [], name: /^name = "(.*)"$/m.exec(text)?.[1] ?? null, readings };
  }
}

function fileOf(fields: DialectFields): string {
  const quoted = (text: string) => JSON.stringify(text);
  const parts = [`format = 1\nname = ${quoted(fields.name)}\ntitle = ${quoted(fields.title)}\n`];
  parts.push(`[[request]]\ntopic = ${quoted(fields.request_topic)}\njson = '${fields.request_payload}'\n`);
  parts.push(`[[receive]]\ntopic = ${quoted(fields.answer_topic)}\nas = "answer"\nid = ${quoted(fields.answer_id)}\n`);
  for (const topic of fields.telemetry) parts.push(`[[receive]]\ntopic = ${quoted(topic)}\nas = "telemetry"\n`);
  return parts.join('\n');
}

function read(fields: DialectFields, { topic, payload }: SampleMessage): MessageReading {
  const device = (template: string) => {
    if (template === '') return null;
    const escaped = template.replaceAll(/[.*+?^$()|[\]\\]/g, String.raw`\$&`).replace('{device}', '([^/]+)');
    return new RegExp(`^${escaped}$`).exec(topic)?.[1] ?? null;
  };
  const reading = (kind: ReadingKind, of: string, said: string): MessageReading => ({ kind, device: of, said });
  const answered = device(fields.answer_topic);
  const parsed = parse(payload);
  if (answered !== null) {
    const [outcome] = fields.outcomes;
    const word = parsed?.[outcome?.at.slice(1) ?? ''];
    if (outcome === undefined || word !== outcome.is) {
      return reading('unreadable', answered, `This answer is unreadable: no outcome in ${payload}.`);
    }
    return reading('answer', answered, `${outcome.means}, ID ${String(parsed?.[fields.answer_id.slice(1)])}`);
  }
  const asked = device(fields.request_topic);
  if (asked !== null) return reading('request', asked, String(parsed?.['cmd'] ?? payload));
  const there = device(fields.presence_topic);
  if (there !== null) return reading('presence', there, payload);
  for (const telemetry of fields.telemetry) {
    const measured = device(telemetry);
    if (measured !== null) return reading('telemetry', measured, 'bar = 2.5, rpm = 1410');
  }
  return { kind: 'other', device: null, said: '' };
}

function parse(payload: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(payload);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
