/** The commands that the inspector shows beside its controls. */

import type { CommandView } from '../../backend/bindings/CommandView';

/** The newest of these commands that has this name; null where none has it. */
export function latest(commands: CommandView[], name: string): CommandView | null {
  return commands.find(({ command }) => command === name) ?? null;
}

/** How long a command is in progress before it can be cancelled in the inspector, milliseconds: most have ended by then. */
export const CANCEL_AFTER = 1_000;
