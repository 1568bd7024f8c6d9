/** Properties that the failed devices have in common, from the data alone. */

import type { CommandView } from '../backend/bindings/CommandView';
import { BAD_ENDS } from '../backend/bindings/Constants';
import type { DeviceRow } from '../backend/bindings/DeviceRow';
import { count } from './count';
import { visible, visibleName } from './text';

/** Its cause may lie outside the device. */
export function fellShort(command: CommandView): boolean {
  return BAD_ENDS.includes(command.state);
}

/** The devices whose last command ended like this one: same command, and the same said about it. */
export function alike(rows: DeviceRow[], command: CommandView): DeviceRow[] {
  return rows.filter(({ last_command: last }) => {
    if (last === null || last.command !== command.command || last.state !== command.state) return false;
    return command.state === 'timed_out' || last.message === command.message;
  });
}

/** A property that all of some devices share, as the search field writes it. */
export interface Trait {
  token: string;
  words: string;
}

export function traits(rows: DeviceRow[]): Trait[] {
  const [first, ...others] = rows;
  if (!first) return [];
  const out: Trait[] = [];
  const { firmware } = first;
  if (firmware !== null && others.every((row) => row.firmware === firmware)) {
    out.push({ token: `firmware:${firmware}`, words: `run firmware ${visible(firmware)}` });
  }
  for (const tag of first.tags) {
    if (others.every((row) => row.tags.includes(tag)))
      out.push({ token: `tag:${tag}`, words: `have the tag ${visibleName(tag)}` });
  }
  return out;
}

/** `3 others had the same result, and all 4 run firmware 2.3.0: check that before you send it again.` */
export function sharedText(devices: number, command: CommandView, trait: Trait | null): string {
  const others = devices - 1;
  if (others < 1) return '';
  const how =
    command.message === null || command.state === 'timed_out' ? 'had the same result' : 'gave the same reason';
  const who = others === 1 ? 'One other device' : `${count(others)} others`;
  if (trait === null) return `${who} ${how}.`;
  return `${who} ${how}, and ${devices === 2 ? 'both' : `all ${count(devices)}`} ${trait.words}: check that before you send it again.`;
}
