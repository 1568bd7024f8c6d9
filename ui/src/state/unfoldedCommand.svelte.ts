import type { Backend } from '../backend/backend';
import type { Batch } from '../backend/bindings/Batch';
import type { CommandDetail } from '../backend/bindings/CommandDetail';
import type { CommandView } from '../backend/bindings/CommandView';
import type { Failure } from '../backend/bindings/Failure';
import { failureOf } from './failure';
import { keyOf } from './feed';
import type { Sending } from './sending.svelte';
import { Throttle } from './throttle';

/** The unfolded command of the history, with its evidence, and the actions on it. */
export class UnfoldedCommand {
  /** The key of the command; null if none is unfolded. */
  key = $state<string | null>(null);
  detail = $state.raw<CommandDetail | null>(null);
  detailFailure = $state.raw<Failure | null>(null);
  /** Why the command could not be cancelled, or the waiting not stopped. */
  stopFailure = $state.raw<Failure | null>(null);
  /** The key of the command that was sent again last, and the ID of the new one. */
  again = $state.raw<{ of: string; id: string } | null>(null);
  /** The key of the command that could not be sent again, and why. */
  againFailure = $state.raw<{ of: string; failure: Failure } | null>(null);
  #command: CommandView | null = null;
  readonly #redetail = new Throttle(250, () => void this.#loadDetail());

  /** `onread` receives the newer state that is read with the evidence. */
  constructor(
    readonly backend: Backend,
    readonly sending: Sending,
    readonly onread: (command: CommandView) => void,
  ) {}

  open(command: CommandView | null): void {
    this.#command = command;
    this.key = command === null ? null : keyOf(command);
    this.detail = null;
    this.detailFailure = null;
    this.stopFailure = null;
    this.again = null;
    this.againFailure = null;
    if (command !== null) void this.#loadDetail();
  }

  /** Cancels a command that was never sent; otherwise it stops the waiting. */
  async stop(command: CommandView): Promise<void> {
    this.stopFailure = null;
    try {
      await this.backend.cancel(command.connection, command.device, command.id);
    } catch (reason) {
      if (keyOf(command) === this.key) this.stopFailure = failureOf(reason);
    }
  }

  /** Sends a command again, under a new ID that names the old one. `asked`: the user has already confirmed it. */
  async sendAgain(command: CommandView, asked = false): Promise<void> {
    this.againFailure = null;
    try {
      const id = (await this.sending.sendAgain(command, asked))?.ids[0];
      this.again = id === undefined ? null : { of: keyOf(command), id };
    } catch (reason) {
      this.againFailure = { of: keyOf(command), failure: failureOf(reason) };
    }
  }

  take(batch: Batch): void {
    const { key } = this;
    if (key === null) return;
    if (batch.more_commands || batch.commands.some((command) => keyOf(command) === key)) this.#redetail.ask();
  }

  async #loadDetail(): Promise<void> {
    const command = this.#command;
    if (command === null) return;
    const key = keyOf(command);
    try {
      const detail = await this.backend.command(command.connection, command.device, command.id);
      if (key !== this.key) return;
      this.detail = detail;
      this.detailFailure = null;
      this.onread(detail.command);
    } catch (reason) {
      if (key === this.key) this.detailFailure = failureOf(reason);
    }
  }
}
