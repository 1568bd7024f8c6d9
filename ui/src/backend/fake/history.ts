/** Searching the invented history. */

import type { CommandView } from '../bindings/CommandView';

/** Each word that is searched for is the beginning of one in the device, the name, the arguments or the message. */
export function hasWords(command: CommandView, search: string): boolean {
  const { device, args, message, result, final } = command;
  const said = final ? `${message ?? ''} ${result ?? ''}` : '';
  const text = ` ${plain(`${device} ${command.command} ${args} ${said}`)}`;
  return plain(search)
    .split(' ')
    .every((word) => text.includes(` ${word}`));
}

/** Words in small letters without accents, one space between them. */
function plain(text: string): string {
  const letters = text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
  return letters.replaceAll(/[^\p{L}\p{N}]+/gu, ' ').trim();
}
