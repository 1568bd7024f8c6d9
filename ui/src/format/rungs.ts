/** The ladder: the place of each state on five rungs whose order never changes. */

import type { CommandState } from '../backend/bindings/CommandState';
import type { CommandView } from '../backend/bindings/CommandView';
import { wordOf } from './states';
import { clock, duration, running } from './time';

/** `past`: it happened · `here`: the last that happened · `awaited` · `stop`: it ended here · `never` · `open`: not reached. */
export type At = 'past' | 'here' | 'awaited' | 'stop' | 'never' | 'open';

export interface Rung {
  name: string;
  at: At;
  /** The text above the rung: the time since the one before. */
  gap: string;
  /** When it was reached, Unix milliseconds. */
  time: number | null;
  /** How the command began, at the first rung. */
  begun?: string;
}

type Five<T> = [T, T, T, T, T];

const RUNGS: Five<CommandState> = ['queued', 'sent', 'at_broker', 'accepted', 'succeeded'];

const at = (...places: Five<At>) => places;

/** The shape of a command's ladder, without times: also what the five ticks in a row show. */
export function places(command: CommandView): Five<At> {
  switch (command.state) {
    case 'queued':
    case 'held':
      return at('here', 'awaited', 'open', 'open', 'open');
    case 'sent':
      return at('past', 'here', 'awaited', 'open', 'open');
    case 'at_broker':
      return at('past', 'past', 'here', 'awaited', 'open');
    case 'accepted':
    case 'running':
      return at('past', 'past', 'past', 'here', 'awaited');
    case 'succeeded':
      return at('past', 'past', 'past', 'past', 'here');
    case 'failed':
      return at('past', 'past', 'past', 'past', 'stop');
    case 'rejected':
      return at('past', 'past', 'past', 'never', 'stop');
    case 'undeliverable':
      return command.sent_at === null
        ? at('past', 'stop', 'never', 'never', 'never')
        : at('past', 'past', 'stop', 'never', 'never');
    case 'unconfirmed':
      return at('past', 'past', 'here', 'open', 'open');
    case 'timed_out':
      return stoppedAfter(command);
    case 'expired':
    case 'cancelled':
      return at('here', 'never', 'never', 'never', 'never');
  }
}

function stoppedAfter(command: CommandView): Five<At> {
  if (command.accepted_at !== null) return at('past', 'past', 'past', 'past', 'stop');
  if (command.at_broker_at !== null) return at('past', 'past', 'past', 'stop', 'never');
  if (command.sent_at !== null) return at('past', 'past', 'stop', 'never', 'never');
  return at('past', 'stop', 'never', 'never', 'never');
}

/** A command's ladder at a moment. */
export function rungs(command: CommandView, now: number): Rung[] {
  const standing = places(command);
  const times: Five<number | null> = [
    command.queued_at,
    command.sent_at,
    command.at_broker_at,
    command.accepted_at,
    command.finished_at,
  ];
  const end = standing.findIndex((place) => place === 'stop');
  if (end >= 0) times[end] = command.finished_at;
  if (command.state === 'expired' || command.state === 'cancelled') times.fill(null, 1);

  // This console has no part in what another one sends before the broker has it.
  const isOurs = command.by !== 'another console';
  let before = command.queued_at;
  return standing.map((place, i): Rung => {
    const reached = place === 'past' || place === 'here' || place === 'stop';
    const time = reached ? (times[i] ?? null) : null;
    // A state that has no rung takes the place of one.
    const name = wordOf(place === 'here' || place === 'stop' ? command.state : (RUNGS[i] ?? command.state));
    let gap = '';
    if (i === 0) gap = clock(command.queued_at);
    else if (place === 'awaited') gap = command.state === 'queued' ? '…' : `${running(now - before)} …`;
    else if (time !== null) gap = `+${duration(Math.max(0, time - before))}`;
    if (time !== null && i > 0) before = Math.max(before, time);
    if (i > 0) return { name, at: place, gap, time };
    if (isOurs) return { name, at: place, gap, time, begun: 'written to the outbox' };
    return { name: 'Observed', at: place, gap, time, begun: 'sent by another console' };
  });
}

/** A state in which a command spends time that is counted. */
type Stay = Extract<CommandState, 'queued' | 'sent' | 'at_broker' | 'accepted'>;

/** Where the time of a command went, for a bar that is true to scale. */
export interface Share {
  /** The state it was in meanwhile. */
  state: Stay;
  ms: number;
}

export function shares(command: CommandView): Share[] {
  if (command.finished_at === null) return [];
  const steps: [Stay, number | null][] = [
    ['queued', command.sent_at],
    ['sent', command.at_broker_at],
    ['at_broker', command.accepted_at],
    [command.accepted_at === null ? waitingIn(command) : 'accepted', command.finished_at],
  ];
  const parts: Share[] = [];
  let from = command.queued_at;
  for (const [state, to] of steps) {
    if (to === null) continue;
    const ms = Math.max(0, to - from);
    if (ms > 0) parts.push({ state, ms });
    from = Math.max(from, to);
  }
  return parts;
}

function waitingIn(command: CommandView): Stay {
  if (command.at_broker_at !== null) return 'at_broker';
  return command.sent_at !== null ? 'sent' : 'queued';
}

const SPENT: Record<Stay, string> = {
  queued: 'in the outbox',
  sent: 'on the way to the broker',
  at_broker: 'between the broker and the first answer',
  accepted: 'in the device',
};

/** The largest share in words: `468 of 510 ms were spent in the device`. */
export function spent(parts: Share[]): string {
  const whole = parts.reduce((sum, part) => sum + part.ms, 0);
  const largest = parts.reduce<Share | null>((a, b) => (a === null || b.ms > a.ms ? b : a), null);
  if (largest === null) return '';
  const [part, total] = [duration(largest.ms), duration(whole)];
  const short = part.split(' ')[1] === total.split(' ')[1] ? part.split(' ')[0] : part;
  return `${short} of ${total} were spent ${SPENT[largest.state]}`;
}

/** The time a command took, or has taken so far. */
export function took(command: CommandView, now: number): string {
  if (command.state === 'cancelled') return '–';
  if (command.finished_at !== null) return duration(command.finished_at - command.queued_at);
  if (command.state === 'running' && command.progress !== null) return `${command.progress} %`;
  return running(now - command.queued_at);
}
