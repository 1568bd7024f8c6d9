/** Commands that the invented fleet has already answered. */

import type { CommandView } from '../bindings/CommandView';
import type { FakeDevice } from './fleet';
import { random } from './random';
import { toJson } from '../../format/json';

const ASKED: [name: string, args: Record<string, unknown>, pace: number][] = [
  ['led', { on: true }, 400],
  ['led', { on: false }, 390],
  ['config.get', {}, 170],
  ['config.set', { changes: { temp_high_c: 7.5 }, apply: 'now' }, 510],
  ['config.set', { changes: { report_interval_s: 60, buzzer: false }, apply: 'restart' }, 470],
  ['restart', {}, 4_100],
  ['state.get', {}, 211],
  ['identify', { seconds: 10 }, 140],
];

export function makePast(fleet: FakeDevice[], count: number, now: number): CommandView[] {
  const next = random(count + 1);
  const past: CommandView[] = [];
  let at = now - 4_000;
  for (let i = 0; i < count; i++) {
    const device = fleet[Math.floor(next() * fleet.length)];
    const asked = ASKED[Math.floor(next() * ASKED.length)];
    if (device === undefined || asked === undefined) break;
    at -= Math.floor(next() ** 2 * 90_000);
    const command = ended(device, asked, at, next);
    past.push(command);
    device.commandCount += 1;
    device.row.last_command ??= command;
  }
  return past;
}

function ended(
  device: FakeDevice,
  [name, args, pace]: [string, Record<string, unknown>, number],
  at: number,
  next: () => number,
): CommandView {
  const lot = next();
  const sent = at + 1 + next() * 3;
  const atBroker = sent + 4 + next() * 12;
  const accepted = atBroker + 15 + next() * 45;
  const finished = accepted + pace * (0.4 + next());
  const command: CommandView = {
    ...blank(device, newId(at, next), name, toJson(args), Math.round(at)),
    by: next() > 0.85 ? 'another console' : 'you',
    state: 'succeeded',
    final: true,
    sent_at: Math.round(sent),
    at_broker_at: Math.round(atBroker),
    accepted_at: Math.round(accepted),
    finished_at: Math.round(finished),
    changed_at: Math.round(finished),
    attempts: 1,
    match: 'exact',
    result: toJson(args),
  };
  if (lot < 0.03) return { ...command, state: 'failed', result: null, message: 'flash write error at 0x1f0000' };
  if (lot < 0.05) return { ...command, state: 'rejected', result: null, message: 'unknown key report_interval_s' };
  if (lot < 0.08) {
    const end = command.queued_at + 10_000;
    return {
      ...command,
      state: 'timed_out',
      accepted_at: null,
      finished_at: end,
      result: null,
      match: null,
      attempts: 3,
    };
  }
  if (lot < 0.09) {
    const end = command.queued_at + 60_000;
    return {
      ...command,
      state: 'expired',
      ...NEVER_SENT,
      finished_at: end,
    };
  }
  if (lot < 0.1) {
    const end = command.queued_at + 900;
    return {
      ...command,
      state: 'cancelled',
      ...NEVER_SENT,
      finished_at: end,
    };
  }
  if (lot < 0.11) return { ...command, late: true, finished_at: command.queued_at + 12_600, attempts: 2 };
  return lot > 0.96 ? { ...command, duplicates: 1 } : command;
}

const NEVER_SENT = {
  sent_at: null,
  at_broker_at: null,
  accepted_at: null,
  finished_at: null,
  attempts: 0,
  result: null,
  match: null,
} satisfies Partial<CommandView>;

export function newId(at: number, next: () => number): string {
  const hex = (length: number) => Array.from({ length }, () => Math.floor(next() * 16).toString(16)).join('');
  const time = Math.round(at).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(3)}-9${hex(3)}-${hex(12)}`;
}

export function blank(device: FakeDevice, id: string, name: string, args: string, at: number): CommandView {
  const { connection, device: of } = device.row;
  return queued({ connection, device: of, id, command: name, args, queued_at: at });
}

type Identity = Pick<CommandView, 'connection' | 'device' | 'id' | 'command' | 'args' | 'queued_at'>;

/** A command that has not been sent yet. */
export function queued(given: Identity): CommandView {
  return {
    ...given,
    ...NEVER_SENT,
    by: 'you',
    operator: null,
    state: 'queued',
    final: false,
    deadline: given.queued_at + 10_000,
    changed_at: given.queued_at,
    progress: null,
    message: null,
    automatic: false,
    settled_by: null,
    late: false,
    duplicates: 0,
    unreadable: null,
    conflict: false,
    contradicted: null,
    nobody_listening: false,
    clocks_differ: false,
    again_of: null,
  };
}
