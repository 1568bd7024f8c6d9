/** The text beside the LED: what was requested, and what the device has reported since. */

import type { CommandView } from '../backend/bindings/CommandView';
import type { DeviceDetail } from '../backend/bindings/DeviceDetail';
import { objectFrom } from './json';
import { wordOf } from './states';
import { visible } from './text';

const named = (on: boolean) => (on ? 'on' : 'off');

/** The LED state that a command requests; nothing if it requests none. */
export function requestedState(command: CommandView | null): boolean | null {
  const on = command && objectFrom(command.args)['on'];
  return typeof on === 'boolean' ? on : null;
}

/** The state that a press requests: the opposite of the one already requested, or else of the reported one. */
export function pressRequests(requested: boolean | null, reported: boolean | null): boolean {
  return !(requested ?? reported ?? false);
}

/** `rebooted`: the device has started anew since the command, at whatever time. */
export function ledText(detail: DeviceDetail, command: CommandView | null, rebooted: boolean): string {
  const { row, reported_at, restarted_at } = detail;
  const reported = row.led;
  const asked = requestedState(command);
  if (command === null || asked === null)
    return reported === null ? 'It has not reported its LED yet.' : 'As last reported by the device.';
  const named_by = command.operator === null ? '' : ` (${visible(command.operator)})`;
  const wish = `${command.by === 'you' ? 'You' : `Another console${named_by}`} requested ${named(asked)}`;
  if (!command.final)
    return asked === reported ? `${wish}. It is already ${named(asked)}.` : `${wish}. Not ${named(asked)} yet.`;
  const ended = command.finished_at ?? command.changed_at;
  const restarted = rebooted || (restarted_at !== null && restarted_at > ended);
  const since = reported_at !== null && reported_at > ended && reported_at >= (restarted_at ?? ended);
  const unknown = restarted && !since;
  if (asked === reported && !unknown) return `${wish}, and it is ${named(asked)}.`;
  if (command.state !== 'succeeded') return `${wish}. ${wordOf(command.state)}.`;
  if (unknown) return 'It has restarted. No report since.';
  if (!since || reported === null) return `It confirmed ${named(asked)}. No report since.`;
  if (restarted) return `It has restarted and reports ${named(reported)}.`;
  return `It confirmed ${named(asked)}, then reported ${named(reported)}.`;
}
