/** The evidence of a command of the invented fleet, derived from the command. */

import type { AnswerOutcome } from '../bindings/AnswerOutcome';
import type { AnswerReading } from '../bindings/AnswerReading';
import type { AnswerView } from '../bindings/AnswerView';
import type { CommandDetail } from '../bindings/CommandDetail';
import type { CommandView } from '../bindings/CommandView';
import type { EventKind } from '../bindings/EventKind';
import type { EventView } from '../bindings/EventView';
import type { WireView } from '../bindings/WireView';
import { fromJson, objectFrom, toJson } from '../../format/json';

export function detailOf(command: CommandView): CommandDetail {
  return {
    command,
    request: request(command),
    request_is: command.attempts > 0 ? 'sent' : 'planned',
    events: events(command),
    left_out: 0,
    discarded: null,
    disagrees: null,
    shell_line: shellLine(command),
  };
}

function shellLine({ device, command, args }: CommandView): string {
  const pairs = Object.entries(objectFrom(args)).map(([key, value]) => {
    const text = toJson(value);
    return /^[\w.]+$/.test(text) ? `${key}=${text}` : `'${key}=${text.replaceAll("'", `'\\''`)}'`;
  });
  return [`wilco send -c 'Demo fleet' -d ${device}`, command, ...pairs].join(' ');
}

function request(command: CommandView): WireView {
  return wire(`${command.device}/req`, {
    id: command.id,
    command: command.command,
    args: objectFrom(command.args),
    issued_at: command.queued_at,
    expires_at: command.queued_at + 60_000,
    attempt: Math.max(1, command.attempts),
  });
}

/** How a device says that a command ended. */
const OUTCOMES: AnswerOutcome[] = ['succeeded', 'failed', 'rejected'];
/** How a command ends without its device. */
const ENDS: EventKind[] = ['undeliverable', 'unconfirmed', 'expired', 'cancelled'];

function endOf(command: CommandView): EventKind {
  return ENDS.find((end) => end === command.state) ?? 'timed_out';
}

function events(command: CommandView): EventView[] {
  const out: EventView[] = [fact(command.queued_at, 'submitted', 'Written to the outbox.')];
  if (command.sent_at !== null) out.push(fact(command.sent_at, 'sent', 'Sent.'));
  if (command.at_broker_at !== null) out.push(fact(command.at_broker_at, 'at_broker', 'The broker acknowledged it.'));
  const said = OUTCOMES.find((outcome) => outcome === command.state);
  if (command.accepted_at !== null && command.state !== 'rejected') {
    out.push(answered(command, command.accepted_at, 'accepted', 'moved', 'Moved the command to Accepted.'));
  }
  if (command.finished_at !== null && said !== undefined) {
    const reading = command.late ? 'late' : 'moved';
    out.push(answered(command, command.finished_at, said, reading, `The final answer: ${command.state}.`));
    for (let i = 1; i <= command.duplicates; i++) {
      const at = command.finished_at + 1_108 * i;
      out.push(answered(command, at, said, 'duplicate', 'Duplicate answer; the state did not change.'));
    }
  } else if (command.finished_at !== null) {
    out.push(fact(command.finished_at, endOf(command), command.message ?? `It ended as ${command.state}.`));
  }
  return out.map((event, place) => ({ ...event, place }));
}

function fact(at: number, kind: EventKind, text: string): EventView {
  return { place: 0, at, kind, text, attempt: kind === 'submitted' ? null : 1, answer: null };
}

function answered(
  command: CommandView,
  at: number,
  outcome: AnswerOutcome,
  reading: AnswerReading,
  text: string,
): EventView {
  const said: Record<string, unknown> = { id: command.id, status: outcome };
  if (outcome === command.state && command.result !== null) said['result'] = fromJson(command.result);
  if (outcome === command.state && command.message !== null) said['message'] = command.message;
  said['at'] = at - 15;
  const answer: AnswerView = {
    outcome,
    reading,
    progress: null,
    message: outcome === command.state ? command.message : null,
    raw: wire(`${command.device}/resp`, said),
  };
  return { place: 0, at, kind: 'answered', text, attempt: 1, answer };
}

function wire(topic: string, body: unknown): WireView {
  const payload = toJson(body);
  return { topic, qos: 1, bytes: payload.length, payload, binary: false, cut: null };
}

/** An answer that belongs to no command. */
export function unmatched(device: string): EventView {
  const payload = '{"id":"4711","status":"succeeded"}';
  return {
    place: 0,
    at: Date.now() - 42_000,
    kind: 'unsolicited',
    text: 'Has an unknown ID',
    attempt: null,
    answer: {
      outcome: 'succeeded',
      reading: 'unknown_id',
      progress: null,
      message: null,
      raw: { topic: `${device}/resp`, qos: 1, bytes: payload.length, payload, binary: false, cut: null },
    },
  };
}
