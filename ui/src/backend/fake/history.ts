/** The search in the invented history, and the causes of its failures. */

import type { CommandView } from '../bindings/CommandView';
import { BAD_ENDS } from '../bindings/Constants';
import type { HistoryCause } from '../bindings/HistoryCause';
import type { HistoryCauses } from '../bindings/HistoryCauses';

/** Each word that is searched for is the beginning of one in the device, the name, the arguments or the message. */
export function hasWords(command: CommandView, search: string): boolean {
  const { device, args, message, result, final } = command;
  const said = final ? `${message ?? ''} ${result ?? ''}` : '';
  const text = ` ${plain(`${device} ${command.command} ${args} ${said}`)}`;
  return plain(search)
    .split(' ')
    .every((word) => text.includes(` ${word}`));
}

export function causesOf(commands: CommandView[], limit: number): HistoryCauses {
  const bad = commands.filter(({ state }) => BAD_ENDS.includes(state));
  const found = new Map<string, HistoryCause>();
  for (const { state, message, queued_at } of bad) {
    const said = message ?? '';
    const key = `${state} ${said.replaceAll(/\d+/g, '0')}`;
    const words = said.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '' && !/\d/.test(word));
    const before = found.get(key) ?? { state, message: said, count: 0, latest_at: queued_at, search: words.join(' ') };
    found.set(key, { ...before, count: before.count + 1 });
  }
  const causes = [...found.values()].sort((one, other) => other.count - one.count).slice(0, limit);
  return { causes, commands: bad.length, more: false };
}

/** Words in small letters without accents, one space between them. */
function plain(text: string): string {
  const letters = text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
  return letters.replaceAll(/[^\p{L}\p{N}]+/gu, ' ').trim();
}
