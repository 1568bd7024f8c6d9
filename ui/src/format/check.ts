/** What Wilco knows about a command before it is sent, in the words of the command line. */

import type { DeviceCheck } from '../backend/bindings/DeviceCheck';
import { counted } from './count';
import { visible, visibleName } from './text';

/** How many devices are named. */
const NAMED = 5;

/** That devices already report what the command asks for, and that devices will not confirm it, as sentences. */
export function checkTexts(checks: DeviceCheck[], devices: number): string[] {
  const already = checks.filter((one) => one.already !== null);
  const silent = checks.filter((one) => one.silent !== null);
  if (devices > 1) {
    const lists = [
      { found: already, words: ['already reports the requested state', 'already report the requested state'] },
      { found: silent, words: ['will not confirm it', 'will not confirm it'] },
    ];
    return lists
      .filter(({ found }) => found.length > 0)
      .map(
        ({ found, words }) =>
          `${counted(found.length, 'device')} ${words[found.length === 1 ? 0 : 1]}: ${names(found)}.`,
      );
  }
  return [
    ...already.map((one) => `${nameOf(one)} already reports ${visible(one.already ?? '')}.${quiet(one)}`),
    ...silent.map((one) => `${nameOf(one)} will not confirm it. ${visible(one.silent ?? '')}`),
  ];
}

/** The same of one device beside a switch: `already ON`, `will not confirm`. */
export function briefCheck(check: DeviceCheck | undefined): string {
  if (check === undefined) return '';
  return check.already !== null ? `already ${visible(check.already)}` : check.silent !== null ? 'will not confirm' : '';
}

function quiet({ may_stay_silent }: DeviceCheck): string {
  if (!may_stay_silent) return '';
  return ' Many devices report nothing if nothing changes, so the command may end as unconfirmed or time out.';
}

function names(checks: DeviceCheck[]): string {
  const listed = checks.slice(0, NAMED).map(nameOf).join(', ');
  const more = checks.length - NAMED;
  return more > 0 ? `${listed} and ${counted(more, 'other')}` : listed;
}

function nameOf({ name, device }: DeviceCheck): string {
  return visibleName(name ?? device);
}
