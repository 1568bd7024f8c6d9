/** Which command's ladder stands in which part of the inspector. */

import type { CommandView } from '../../backend/bindings/CommandView';

/** The last command that a part of the inspector asked for, while it is of interest. */
export function latest(commands: CommandView[], ...names: string[]): CommandView | null {
  const mine = commands.find((command) => names.includes(command.command));
  if (!mine) return null;
  const newest = commands[0];
  return !mine.final || mine === newest ? mine : null;
}

/** The newest command, where no other part of the inspector shows it. */
export function besides(commands: CommandView[]): CommandView | null {
  const newest = commands.find(
    (command) => !['led', 'config.get', 'config.set', 'telemetry.set'].includes(command.command),
  );
  return newest && (!newest.final || newest === commands[0]) ? newest : null;
}
