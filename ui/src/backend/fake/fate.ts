/** The outcome of a command in the invented fleet. */

import type { CommandView } from '../bindings/CommandView';
import type { FakeDevice } from './fleet';
import { objectFrom } from '../../format/json';

export interface Step {
  /** Milliseconds after the step before. */
  after: number;
  change: Partial<CommandView>;
  /** Further events. */
  effect?: 'led' | 'leave' | 'return' | 'config' | 'report';
}

/** No answer is expected: the broker's word is the end of it. */
export const UNANSWERED: Step[] = [
  { after: 2, change: { state: 'sent' } },
  { after: 9, change: { state: 'at_broker' } },
  { after: 0, change: { state: 'unconfirmed' } },
];

const NO_ANSWER_AFTER = 10_000;
const SILENT = 'No answer within 10 s. The broker has it; the device may still run it.';

export function fate(command: CommandView, device: FakeDevice, next: () => number): Step[] {
  const sent: Step[] = [
    { after: 1 + next() * 3, change: { state: 'sent' } },
    { after: 4 + next() * 10, change: { state: 'at_broker' } },
  ];
  if (device.row.presence === 'offline') {
    return [...sent, { after: NO_ANSWER_AFTER, change: { state: 'timed_out', message: SILENT } }];
  }
  const lot = next();
  if (lot < 0.02) {
    const late: Step = {
      after: 2_600,
      change: { state: 'succeeded', late: true, match: 'exact', message: null },
      effect: effectOf(command),
    };
    return [...sent, { after: NO_ANSWER_AFTER, change: { state: 'timed_out', message: SILENT } }, late];
  }
  const accepted: Step = { after: 15 + next() * 40, change: { state: 'accepted', match: 'exact' } };
  const work = 90 + next() * next() * 1_600;
  if (lot < 0.05) {
    return [...sent, accepted, { after: work, change: { state: 'failed', message: 'flash write error at 0x1f0000' } }];
  }
  if (command.command === 'restart') {
    return [
      ...sent,
      accepted,
      { after: 260, change: {}, effect: 'leave' },
      { after: 1_400 + next() * 900, change: { state: 'succeeded', result: '{"boot":"new"}' }, effect: 'return' },
    ];
  }
  if (command.command === 'config.set') {
    const refused = refusal(command, device);
    if (refused !== null) {
      return [...sent, { after: 40, change: { state: 'rejected', message: refused, match: 'exact' } }];
    }
    const half: Step = { after: work / 2, change: { state: 'running', progress: 40, message: 'writing flash' } };
    return [
      ...sent,
      accepted,
      half,
      { after: work / 2, change: { state: 'succeeded', message: null, result: '{}' }, effect: 'config' },
    ];
  }
  const done: Step = { after: work, change: { state: 'succeeded', result: command.args }, effect: effectOf(command) };
  if (lot > 0.95) return [...sent, accepted, done, { after: 1_100, change: { duplicates: 1 } }];
  return [...sent, accepted, done];
}

function effectOf(command: CommandView): Step['effect'] {
  if (command.command === 'led') return 'led';
  return command.command === 'config.get' || command.command === 'state.get' ? 'report' : undefined;
}

function refusal(command: CommandView, device: FakeDevice): string | null {
  const changes = Object.keys((objectFrom(command.args)['changes'] ?? {}) as object);
  const unknown = changes.find((key) => !(key in (device.running ?? {})));
  return unknown === undefined ? null : `unknown key ${unknown}`;
}
