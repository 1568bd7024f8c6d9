/** What Wilco knows about a command while it is prepared. This sends nothing, and nothing waits for it. */

import type { Backend } from '../backend/backend';
import type { DeviceCheck } from '../backend/bindings/DeviceCheck';
import type { CommandToSend } from './sending.svelte';
import { Throttle } from './throttle';

/** The time between two checks while the arguments change, milliseconds. */
const PAUSE = 250;

export class Precheck {
  /** The devices of the command of which there is something to say. */
  devices = $state.raw<DeviceCheck[]>([]);
  #command: CommandToSend | null = null;
  readonly #throttle = new Throttle(PAUSE, () => void this.#check());

  constructor(readonly backend: Backend) {}

  /** Checks a command as it would be sent now; null while there is none. */
  look(command: CommandToSend | null): void {
    this.#command = command;
    if (command === null) this.devices = [];
    else this.#throttle.ask();
  }

  async #check(): Promise<void> {
    const command = this.#command;
    if (command === null) return;
    // A remark is an extra: sending reports why a command cannot be checked.
    const found = await this.backend
      .checkCommand({ ...command, confirmed: 'no', note: null })
      .then(({ devices }) => devices)
      .catch(() => []);
    if (command === this.#command) this.devices = found;
  }
}
