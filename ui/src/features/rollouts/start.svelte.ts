/** Opens the dialog that prepares a rollout, from every place where devices are selected. */

import type { Follows } from '../../backend/bindings/Follows';
import type { JsonText } from '../../backend/bindings/JsonText';
import type { RolloutTarget } from '../../backend/bindings/RolloutTarget';

export interface RolloutToPrepare {
  /** The connection's id. */
  connection: string;
  target: RolloutTarget;
  /** The command that is filled in already; chosen in the dialog where none is given. */
  command?: { name: string; args: JsonText };
  /** The timeout that is filled in already; the command's own where none is given. */
  timeoutMs?: number;
  /** The default name. */
  name?: string;
  /** The rollout that this one follows, and why. */
  follows?: Follows;
}

let asked = $state.raw<RolloutToPrepare | null>(null);

/** The purpose of the dialog; null while it is closed. */
export const rolloutToPrepare = {
  get current(): RolloutToPrepare | null {
    return asked;
  },
};

/** Opens the dialog. Nothing is sent before the person starts the rollout there. */
export function startRolloutDialog(rollout: RolloutToPrepare): void {
  asked = rollout;
}

export function closeRolloutDialog(): void {
  asked = null;
}
