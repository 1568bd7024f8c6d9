import { FAILED_MEMBERS } from '../../backend/bindings/Constants';
import { createContext, untrack } from 'svelte';

import type { Batch } from '../../backend/bindings/Batch';
import type { Failure } from '../../backend/bindings/Failure';
import type { RolloutAction } from '../../backend/bindings/RolloutAction';
import type { RolloutView } from '../../backend/bindings/RolloutView';
import { getActions } from '../../state/actions.svelte';
import { getBackend } from '../../state/backend';
import { getCatalogue } from '../../state/catalogue.svelte';
import { getCloseGuard } from '../../state/closeGuard.svelte';
import { getConnections } from '../../state/connections.svelte';
import { failureOf } from '../../state/failure';
import { getFeed } from '../../state/feed';
import { getFleet } from '../../state/fleet.svelte';
import { getNotices } from '../../state/notices.svelte';
import { getRoute } from '../../state/route.svelte';
import { getSending } from '../../state/sending.svelte';
import { lasting } from '../../state/lasting.svelte';
import { count } from '../../format/count';
import { visible } from '../../format/text';
import { rolloutActions } from './actions';
import { Opened } from './opened.svelte';
import { Pace } from './pace';
import { Preparing } from './preparing.svelte';
import { rolloutToPrepare, type RolloutToPrepare } from './start.svelte';
import { commandLine, isActive, isOpen, isUnapproved, nameOf, outcomeText, sum, targetOf } from './format';

export interface ListFilter {
  name: string;
  admits: (rollout: RolloutView) => boolean;
}

export const LIST_FILTERS: ListFilter[] = [
  { name: 'All', admits: () => true },
  { name: 'Running', admits: isActive },
  { name: 'Halted', admits: ({ state }) => state === 'halted' },
  { name: 'Finished', admits: ({ state }) => state === 'finished' },
  { name: 'Stopped', admits: ({ state }) => state === 'stopped' },
];

/** Every rollout, and the one that is shown. */
export class Rollouts {
  readonly backend = getBackend();
  readonly catalogue = getCatalogue();
  readonly connections = getConnections();
  readonly fleet = getFleet();
  readonly notices = getNotices();
  readonly route = getRoute();
  readonly sending = getSending();
  /** Newest first. */
  list = $state.raw<RolloutView[]>([]);
  loaded = $state(false);
  failure = $state.raw<Failure | null>(null);
  filter = $state.raw<ListFilter>(LIST_FILTERS[0] as ListFilter);
  /** The words that a listed rollout has in its number, name, command, target, note or connection. */
  search = $state('');
  opened = $state.raw<Opened | null>(null);
  readonly #pace = new Pace();
  /** The rollout that was prepared last. */
  #left = $state.raw<Preparing | null>(null);

  readonly shown = $derived.by(() => {
    const words = this.search.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (rollout: RolloutView) => {
      if (words.length === 0) return true;
      const text = this.#textOf(rollout);
      return words.every((word) => text.includes(word));
    };
    return this.list.filter((rollout) => this.filter.admits(rollout) && fits(rollout));
  });
  /** The rollouts that release members, or will do so. */
  readonly active = $derived(this.list.filter(isActive));
  readonly halted = $derived(this.list.filter(({ state }) => state === 'halted'));
  /** The rollout whose progress is shown above the fleet: the latest unfinished one of the connection. */
  readonly current = $derived.by(() => {
    const connection = this.connections.currentId;
    return this.list.find((rollout) => rollout.spec.connection === connection && isOpen(rollout)) ?? null;
  });

  constructor() {
    const closeGuard = getCloseGuard();
    getFeed().on((batch) => this.take(batch));
    getActions().offer(rolloutActions(this));
    closeGuard.watchRunning(() =>
      // One that is not approved waits as well while the window is closed.
      this.active
        .filter((rollout) => !isUnapproved(rollout))
        .map((rollout) => `${nameOf(rollout)} (rollout ${rollout.number})`),
    );
    closeGuard.watchDrafts(() => {
      const left = rolloutToPrepare.current === null ? null : this.#left;
      return left?.isFilled ? [`Your rollout of ${visible(left.composer.title)}, which has not started`] : [];
    });
    void this.load();
  }

  async load(): Promise<void> {
    try {
      const list = await this.backend.rollouts();
      const known = new Map(this.list.map((rollout) => [rollout.id, rollout]));
      for (const rollout of list) known.set(rollout.id, newer(known.get(rollout.id), rollout));
      this.#put([...known.values()]);
      this.failure = null;
      this.loaded = true;
    } catch (reason) {
      this.failure = failureOf(reason);
    }
  }

  take(batch: Batch): void {
    // They are removed together with their connection.
    const { connections } = batch;
    const isGone = ({ spec }: RolloutView) => connections?.every(({ id }) => id !== spec.connection) ?? false;
    const gone = this.list.filter(isGone);
    if (gone.length > 0) this.#put(this.list.filter((rollout) => !isGone(rollout)));
    gone.filter(({ id }) => id === this.opened?.id).forEach((rollout) => this.opened?.remove(rollout));
    if (batch.rollouts.length > 0) {
      const known = new Map(this.list.map((rollout) => [rollout.id, rollout]));
      for (const rollout of batch.rollouts) {
        const before = known.get(rollout.id);
        const now = newer(before, rollout);
        // One may have ended before the first word of it.
        if (this.loaded && (before === undefined || newsOf(before) !== newsOf(now))) this.#announce(now);
        this.#pace.note(now);
        known.set(rollout.id, now);
      }
      this.#put([...known.values()]);
    }
    this.opened?.take(batch);
    if (rolloutToPrepare.current !== null) this.#left?.take(batch);
  }

  find(id: string): RolloutView | null {
    return this.list.find((rollout) => rollout.id === id) ?? null;
  }

  /** How long the current stage of a rollout still takes, milliseconds; null while that is not known. */
  left(rollout: RolloutView): number | null {
    return this.#pace.left(rollout);
  }

  /** `rollout 42`. */
  numberOf(id: string): string {
    const rollout = this.find(id);
    return rollout === null ? 'an earlier rollout' : `rollout ${count(rollout.number)}`;
  }

  /** Looks at one of them, or at the list. */
  open(id: string | null): void {
    if ((this.opened?.id ?? null) === id) return;
    this.opened = id === null ? null : new Opened(this, id);
  }

  /** Shows the devices of a connection that match a search. */
  showDevices(connection: string, search: string): void {
    const { connections, fleet, route } = this;
    connections.choose(connection);
    fleet.open(connection);
    fleet.searchFor(search);
    route.go('fleet');
  }

  /** A rollout to prepare: as it was left, where the same was opened before and not started. */
  prepare(asked: RolloutToPrepare): Preparing {
    return untrack(() => {
      const left = this.#left;
      if (left === null || left.started || JSON.stringify(left.asked) !== JSON.stringify(asked))
        this.#left = lasting(() => new Preparing(this, asked));
      else left.reopen();
      return this.#left as Preparing;
    });
  }

  show(id: string): void {
    this.route.go('rollouts', { rollout: id });
  }

  /** Pauses it, resumes it, and so on. Says what went wrong where no page is there to say it. */
  async act(id: string, action: RolloutAction): Promise<void> {
    const now = await this.backend.actOnRollout(id, action);
    this.#put(this.list.map((rollout) => (rollout.id === id ? newer(rollout, now) : rollout)));
  }

  /** One was started here, or changed by a call. */
  learn(rollout: RolloutView): void {
    this.#put([...this.list.filter(({ id }) => id !== rollout.id), newer(this.find(rollout.id) ?? undefined, rollout)]);
  }

  #textOf({ number, spec, members }: RolloutView): string {
    const connection = this.connections.list.find(({ id }) => id === spec.connection)?.name ?? '';
    const { words, search } = targetOf(spec, members, (id) => this.numberOf(id));
    const parts = [`${number}`, spec.name ?? '', commandLine(spec), search ?? words, spec.note ?? '', connection];
    return parts.join('\n').toLowerCase();
  }

  #put(list: RolloutView[]): void {
    this.list = list.sort((a, b) => b.number - a.number);
  }

  /** A halt, an end, and a stage that waits for a person are notices if another screen is shown. */
  #announce(rollout: RolloutView): void {
    const { route, notices } = this;
    if (route.screen === 'rollouts' && this.opened?.id === rollout.id) return;
    const name = `Rollout ${rollout.number}, ${nameOf(rollout)},`;
    const connection = rollout.spec.connection;
    if (rollout.state === 'halted') {
      const hint = 'Open it under Rollouts to see which devices failed, then resume or stop it.';
      notices.add([
        { level: 'warning', message: `${name} halted: ${rollout.why ?? 'too many devices failed.'}`, hint, connection },
      ]);
    }
    if (waitsForPerson(rollout)) {
      const message = `${name} waits for you: stage ${rollout.stage + 1} of ${rollout.stages.length} has finished.`;
      notices.add([{ level: 'info', message, hint: 'Start the next stage under Rollouts, or stop it.', connection }]);
    }
    if (rollout.state !== 'finished') return;
    const failed = sum(rollout.counts, FAILED_MEMBERS);
    const message = `${name} finished: ${outcomeText(rollout)}.`;
    notices.add([{ level: failed === 0 ? 'info' : 'warning', message, hint: null, connection }]);
  }
}

function waitsForPerson({ waits_for: waits }: RolloutView): boolean {
  return waits?.what === 'person';
}

/** What is announced of a rollout once it is another one. */
function newsOf(rollout: RolloutView): string {
  return waitsForPerson(rollout) ? `person ${rollout.stage}` : rollout.state;
}

/** Of two views of one rollout the later one. */
function newer(before: RolloutView | undefined, now: RolloutView): RolloutView {
  return before === undefined || now.changed_at >= before.changed_at ? now : before;
}

export const [getRollouts, setRollouts] = createContext<Rollouts>();
