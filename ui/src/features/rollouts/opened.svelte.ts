import { FAILED_MEMBERS, STATES_FROM_DEVICE } from '../../backend/bindings/Constants';
import type { Batch } from '../../backend/bindings/Batch';
import type { Failure } from '../../backend/bindings/Failure';
import type { FollowReason } from '../../backend/bindings/FollowReason';
import type { FileToWrite } from '../../backend/bindings/FileToWrite';
import type { MemberQuery } from '../../backend/bindings/MemberQuery';
import type { MemberView } from '../../backend/bindings/MemberView';
import type { ReportFormat } from '../../backend/bindings/ReportFormat';
import type { RolloutAction } from '../../backend/bindings/RolloutAction';
import type { RolloutDetail } from '../../backend/bindings/RolloutDetail';
import type { RolloutView } from '../../backend/bindings/RolloutView';
import type { WhichMembers } from '../../backend/bindings/WhichMembers';
import { count } from '../../format/count';
import { failureOf } from '../../state/failure';
import { Throttle } from '../../state/throttle';
import { Members } from './members.svelte';
import type { Rollouts } from './allRollouts.svelte';
import { startRolloutDialog } from './start.svelte';
import { isActive, sum } from './format';

/** The detail is counted again from all members: not more often than this, milliseconds. */
const PAUSE = 600;
/** How many of the slowest are named. */
const SLOWEST = 3;

const FOLLOWS: Record<FollowReason, WhichMembers> = {
  retry_failed: 'failed',
  retry_failed_and_not_started: 'failed_or_not_started',
  send_again: 'all',
  put_back: 'changed',
};

/** The rollout that is shown. */
export class Opened {
  detail = $state.raw<RolloutDetail | null>(null);
  failure = $state.raw<Failure | null>(null);
  /** The last action failed. */
  refused = $state.raw<Failure | null>(null);
  acting = $state(false);
  /** Its connection has been removed. */
  #isGone = false;
  #isActive = true;
  slowest = $state.raw<MemberView[]>([]);
  readonly members: Members;
  /** Its current state: the feed is newer than the detail. */
  readonly view: RolloutView | null = $derived.by(() => this.rollouts.find(this.id) ?? this.detail?.rollout ?? null);
  readonly #refresh = new Throttle(PAUSE, () => void this.#load());

  constructor(
    readonly rollouts: Rollouts,
    readonly id: string,
  ) {
    this.members = new Members(
      rollouts.backend,
      id,
      () => this.view === null || sum(this.view.counts, FAILED_MEMBERS) > 0,
    );
    this.#refresh.ask();
  }

  take(batch: Batch): void {
    const changed = batch.rollouts.find(({ id }) => id === this.id);
    if (changed) {
      const ended = this.#isActive && !isActive(changed);
      this.#isActive = isActive(changed);
      // The page says how it ended, so it lists how its devices ended.
      if (ended) this.#refresh.now();
      else this.#refresh.ask();
      this.members.refresh(ended);
    }
    this.members.take(batch);
  }

  async act(action: RolloutAction): Promise<void> {
    await this.#try(() => this.rollouts.act(this.id, action));
  }

  /** Imports the answer of a second installation. Rejects where it does not count. */
  async importApproval(path: string): Promise<void> {
    this.rollouts.learn(await this.rollouts.backend.importApproval(path, this.id));
  }

  async note(note: string): Promise<boolean> {
    const text = note.trim() === '' ? null : note;
    return this.#try(async () => this.rollouts.learn(await this.rollouts.backend.noteRollout(this.id, text)));
  }

  /** Opens the dialog for a rollout that follows this one. */
  follow(reason: FollowReason): void {
    const { view } = this;
    if (view === null) return;
    const { connection, command } = view.spec;
    startRolloutDialog({
      connection,
      target: { by: 'members', rollout: this.id, which: FOLLOWS[reason] },
      // Each device is sent its own earlier values.
      command: { name: command.name, args: reason === 'put_back' ? '{}' : command.args },
      follows: { rollout: this.id, reason },
    });
  }

  /** Opens the dialog for some of its members. */
  retry(devices: string[]): void {
    const { view } = this;
    if (view === null) return;
    const { connection, command } = view.spec;
    startRolloutDialog({
      connection,
      target: { by: 'devices', devices },
      command: { name: command.name, args: command.args },
      follows: { rollout: this.id, reason: 'retry_failed' },
    });
  }

  /** Writes the members of one kind, or a report of all. */
  export(query: Partial<MemberQuery>, to: FileToWrite, format: ReportFormat): Promise<string> {
    const all = { rollout: this.id, states: [], message: null, stage: null, slowest_first: false };
    return this.rollouts.backend.exportRollout({ ...all, ...query }, to, format);
  }

  /** Its connection was removed, and the rollout with it. */
  remove({ number }: RolloutView): void {
    this.#isGone = true;
    this.detail = null;
    this.failure = {
      code: 'not_found',
      message: `Rollout ${count(number)} was removed together with its connection.`,
      hint: 'Devices may still carry out commands that were sent before.',
    };
  }

  async #try(run: () => Promise<unknown>): Promise<boolean> {
    if (this.acting) return false;
    this.acting = true;
    this.refused = null;
    try {
      await run();
      return true;
    } catch (reason) {
      this.refused = failureOf(reason);
      return false;
    } finally {
      this.acting = false;
    }
  }

  async #load(): Promise<void> {
    const { backend } = this.rollouts;
    try {
      const detail = await backend.rollout(this.id);
      if (this.#isGone) return;
      this.detail = detail;
      this.failure = null;
      const query = { rollout: this.id, message: null, stage: null, slowest_first: true };
      const page = await backend.rolloutMembers({ ...query, states: [...STATES_FROM_DEVICE] }, 0, SLOWEST);
      this.slowest = page.rows.filter(({ took_ms }) => took_ms !== null);
    } catch (reason) {
      if (!this.#isGone) this.failure = failureOf(reason);
    }
  }
}
