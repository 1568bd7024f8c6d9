/** How a command of the invented fleet progresses, and how it changes its device. */

import type { CommandState } from '../bindings/CommandState';
import type { CommandView } from '../bindings/CommandView';
import { BAD_ENDS, OPEN_STATES, STATES_FROM_DEVICE } from '../bindings/Constants';
import type { Counts } from '../bindings/Counts';
import type { Step } from './fate';
import type { FakeDevice } from './fleet';
import { objectFrom } from '../../format/json';

const ANSWERED: readonly CommandState[] = ['accepted', 'running', ...STATES_FROM_DEVICE];
/** Handed to MQTT, and not at the end. */
const IN_FLIGHT = OPEN_STATES.filter((state) => state !== 'queued' && state !== 'held');

export function changed(command: CommandView, change: Partial<CommandView>, now: number): CommandView {
  const state = change.state ?? command.state;
  const ended = !OPEN_STATES.includes(state);
  const moved: CommandView = { ...command, ...change, changed_at: now, final: ended };
  if (state === 'sent') moved.attempts += 1;
  if (state === 'sent') moved.sent_at = now;
  if (state === 'at_broker') moved.at_broker_at = now;
  if (ANSWERED.includes(state)) moved.accepted_at ??= now;
  if (ended && (command.finished_at === null || change.late)) moved.finished_at = now;
  if (ended) moved.deadline = null;
  return moved;
}

export function affect(effect: Step['effect'], device: FakeDevice, command: CommandView, next: () => number): void {
  const now = Date.now();
  const row = { ...device.row };
  const args = objectFrom(command.args);
  if (effect === 'led') row.led = args['on'] === true;
  if (effect === 'leave' || effect === 'return') {
    row.presence = effect === 'leave' ? 'offline' : 'online';
    row.presence_since = now;
  }
  if (effect === 'return') {
    row.boot = Math.floor(next() * 0xffffff).toString(16);
    device.running = device.saved;
  }
  if (effect === 'config') {
    const changes = args['changes'] as Record<string, unknown>;
    device.saved = { ...device.saved, ...changes };
    if (args['apply'] === 'now') device.running = { ...device.running, ...changes };
  }
  if (effect === 'report') {
    device.running ??= { report_interval_s: 30, temp_high_c: 8, buzzer: true, ntp_host: 'pool.ntp.org' };
    device.saved ??= device.running;
  }
  if (effect) device.reportedAt = now;
  device.row = row;
}

/** Commands, newest first, that ended badly within the last hour, that nobody has dismissed and that no later one made good. */
export function needingAttention(commands: CommandView[], dismissed: Set<string>): CommandView[] {
  const good = new Set<string>();
  return commands.filter(({ id, state, finished_at, changed_at, device, command, args }) => {
    const request = `${device} ${command} ${args}`;
    if (state === 'succeeded') good.add(request);
    const recent = Date.now() - (finished_at ?? changed_at) <= 3_600_000;
    return BAD_ENDS.includes(state) && recent && !dismissed.has(id) && !good.has(request);
  });
}

export function countsOf(all: CommandView[], dismissed: Set<string>): Counts {
  const commands = all.filter(({ automatic }) => !automatic);
  const counts = { queued: 0, held: 0, in_flight: 0, needs_attention: 0, kept: commands.length };
  const recent = commands.slice(0, 500);
  const needed = new Set(needingAttention(recent, dismissed));
  for (const command of recent) {
    const { state } = command;
    if (state === 'queued') counts.queued += 1;
    else if (state === 'held') counts.held += 1;
    else if (IN_FLIGHT.includes(state)) counts.in_flight += 1;
    else if (needed.has(command)) counts.needs_attention += 1;
  }
  return counts;
}
