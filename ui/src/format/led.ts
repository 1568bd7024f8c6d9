/** The text beside the LED: what was requested, and what the device has reported since. */

import type { CommandView } from '../backend/bindings/CommandView';
import type { DeviceDetail } from '../backend/bindings/DeviceDetail';
import { objectFrom } from './json';
import { wordOf } from './states';
import { visible } from './text';

const named = (on: boolean) => (on ? 'on' : 'off');

/** The LED state that a command requests; nothing if it requests none. */
export function askedOf(command: CommandView | null): boolean | null {
  const on = command && objectFrom(command.args)['on'];
  return typeof on === 'boolean' ? on : null;
}

/** `restarted`: the device has restarted since the command. */
export function ledText({ row, reported_at }: DeviceDetail, command: CommandView | null, restarted: boolean): string {
  const reported = row.led;
  const asked = askedOf(command);
  if (command === null || asked === null)
    return reported === null ? 'It has not reported its LED yet.' : 'As last reported by the device.';
  const named_by = command.operator === null ? '' : ` (${visible(command.operator)})`;
  const wish = `${command.by === 'you' ? 'You' : `Another console${named_by}`} requested ${named(asked)}`;
  if (!command.final)
    return asked === reported ? `${wish}. It is ${named(asked)} already.` : `${wish}. Not ${named(asked)} yet.`;
  if (asked === reported) return `${wish}, and it is ${named(asked)}.`;
  if (command.state !== 'succeeded') return `${wish}. ${wordOf(command.state)}.`;
  const ended = command.finished_at ?? command.changed_at;
  const since = restarted || (reported_at !== null && reported_at > ended);
  if (!since || reported === null) return `It confirmed ${named(asked)}. No report since.`;
  if (restarted) return `It has restarted and reports ${named(reported)}.`;
  return `It confirmed ${named(asked)}, then reported ${named(reported)}.`;
}
