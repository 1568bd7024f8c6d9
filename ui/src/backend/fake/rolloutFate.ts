/** The outcomes of a rollout's commands in the invented fleet: some fail, and those have a property in common. */

import type { CommandView } from '../bindings/CommandView';
import type { Step } from './fate';
import type { FakeDevice } from './fleet';
import { objectFrom } from '../../format/json';

/** The firmware whose flash cannot be written in the kitchen, and which answers later there. */
const WEAK = '2.3.0';
/** The firmware that does not know one of the configuration's keys. */
const OLD = '2.2.4';

const NO_ANSWER_AFTER = 3_000;

/** Rejections and failures are decided by firmware and tag, with a few that have no pattern. Times in milliseconds. */
export function rolloutFate(command: CommandView, device: FakeDevice, next: () => number): Step[] {
  const sent: Step[] = [
    { after: 1 + next() * 4, change: { state: 'sent' } },
    { after: 5 + next() * 20, change: { state: 'at_broker' } },
  ];
  const silent: Step = {
    after: NO_ANSWER_AFTER,
    change: { state: 'timed_out', message: 'No answer within 3 s. The broker has it; the device may still run it.' },
  };
  if (device.row.presence === 'offline') return [...sent, silent];
  const lot = next();
  const weak = device.row.firmware === WEAK && device.row.tags.includes('kitchen');
  if (lot > 0.997) return [...sent, silent];
  if (command.command === 'config.set' && device.row.firmware === OLD && lot < 0.04) {
    const [key = 'report_interval_s'] = Object.keys((objectFrom(command.args)['changes'] ?? {}) as object);
    return [
      ...sent,
      { after: 40 + next() * 60, change: { state: 'rejected', message: `unknown key ${key}`, match: 'exact' } },
    ];
  }
  const accepted: Step = { after: 15 + next() * 40, change: { state: 'accepted', match: 'exact' } };
  if (lot < (weak ? 0.3 : 0.002)) {
    const failed: Step['change'] = { state: 'failed', message: 'flash write error at 0x1f0000' };
    return [...sent, accepted, { after: 1_400 + next() * 700, change: failed }];
  }
  const work = weak ? 1_000 + bell(next) * 420 : 210 + bell(next) ** 2 * 900;
  const effect = command.command === 'led' ? 'led' : command.command === 'config.set' ? 'config' : undefined;
  const done: Step = { after: work, change: { state: 'succeeded', result: command.args, message: null } };
  return [...sent, accepted, effect === undefined ? done : { ...done, effect }];
}

/** From 0 to 1, mostly about a half. */
function bell(next: () => number): number {
  return (next() + next() + next()) / 3;
}
