import { FAILED_MEMBERS, FINAL_STATES } from '../../backend/bindings/Constants';
import type { Batch } from '../../backend/bindings/Batch';
import type { Confirmed } from '../../backend/bindings/Confirmed';
import type { ExpectedMembers } from '../../backend/bindings/ExpectedMembers';
import type { Failure } from '../../backend/bindings/Failure';
import type { MemberState } from '../../backend/bindings/MemberState';
import type { NewRollout } from '../../backend/bindings/NewRollout';
import type { RolloutPlan } from '../../backend/bindings/RolloutPlan';
import type { RolloutTarget } from '../../backend/bindings/RolloutTarget';
import type { WhichMembers } from '../../backend/bindings/WhichMembers';
import { TYPED_COUNT_ABOVE } from '../../backend/bindings/Constants';
import { CommandComposer } from '../../state/commandComposer.svelte';
import { failureOf } from '../../state/failure';
import { Throttle } from '../../state/throttle';
import { speaksDialect } from '../../format/dialects';
import { visible, visibleName } from '../../format/text';
import { counted } from '../../format/count';
import { blankDraft, errorsOf, deliveryOf, settingsOf, type Draft } from './draft';
import { Rehearsing } from './rehearsing.svelte';
import type { Rollouts } from './allRollouts.svelte';
import type { RolloutToPrepare } from './start.svelte';
import { IN_FLIGHT, nameOf, sum } from './format';
import { objectFrom, toJson } from '../../format/json';
import { secondsText } from '../../format/span';

/** Pause after the last key before the rollout is planned, milliseconds. */
const PAUSE = 250;
/** A preview that is shown is made again this often at most while devices change, milliseconds. */
const AGAIN = 5_000;
/** How many devices are named before something dangerous is sent to them, if they are more than that. */
const NAMED = 8;

const WHICH: Record<WhichMembers, readonly MemberState[]> = {
  failed: FAILED_MEMBERS,
  failed_or_not_started: [...FAILED_MEMBERS, 'pending'],
  not_started: ['pending'],
  succeeded: ['succeeded', 'unconfirmed'],
  all: [...FINAL_STATES, ...IN_FLIGHT, 'queued', 'held', 'pending'],
  changed: ['succeeded', 'unconfirmed', 'timed_out', ...IN_FLIGHT],
};

/** A rollout on its way from the dialog to the engine. */
export class Preparing {
  /** The command and its arguments, filled in as for a single device. */
  readonly composer: CommandComposer;
  readonly rehearsing: Rehearsing;
  draft = $state<Draft>(blankDraft());
  plan = $state.raw<RolloutPlan | null>(null);
  planFailure = $state.raw<Failure | null>(null);
  planning = $state(false);
  /** The number of devices as far as it is known without a plan. */
  devices = $state<number | null>(null);
  /** The number that was typed before something dangerous is sent to many. */
  typedNumber = $state('');
  /** The typed name of a protected connection. */
  typedName = $state('');
  /** It was tried to start it, so what is missing is said. */
  checked = $state(false);
  starting = $state(false);
  /** It was taken: nothing is left to be filled in. */
  started = false;
  failure = $state.raw<Failure | null>(null);

  readonly wrong = $derived(errorsOf(this.draft));
  readonly hasWrong = $derived(Object.keys(this.wrong).length > 0);
  readonly dangerous = $derived.by(() => this.plan?.dangerous ?? this.composer.dangerous);
  /** How many would be sent the command, as far as it is known. */
  readonly members = $derived(this.plan?.members ?? this.devices);
  /** As long as it is not known how many there are, they count as many. */
  readonly needsNumber = $derived(this.dangerous && (this.members ?? Infinity) > TYPED_COUNT_ABOVE);
  /** A protected connection wants its name typed. */
  readonly needsName = $derived(this.plan?.confirmation === 'type_name');
  /** The rollout to start; null if a value is missing or invalid. */
  readonly request: NewRollout | null = $derived.by(() => this.#request());
  /** The draft as it was opened. */
  readonly #first: string;
  #asked = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  readonly #again = new Throttle(AGAIN, () => this.#refresh());

  constructor(
    readonly rollouts: Rollouts,
    readonly asked: RolloutToPrepare,
  ) {
    const { backend, catalogue, notices, sending } = rollouts;
    this.rehearsing = new Rehearsing(backend);
    this.composer = new CommandComposer(backend, catalogue, notices, sending);
    const { connection, command } = asked;
    this.composer.open({ connection, devices: [], offline: [] });
    if (command !== undefined) this.#fill(connection, command.name, objectFrom(command.args));
    if (asked.timeoutMs !== undefined) this.draft.timeout = secondsText(asked.timeoutMs);
    this.#first = JSON.stringify(this.draft);
    void this.#count();
  }

  /** One publish for many devices is possible: they are found by a search, and say which command they answer. */
  get canBroadcast(): boolean {
    const { connections } = this.rollouts;
    const connection = connections.list.find(({ id }) => id === this.asked.connection);
    return this.asked.target.by === 'search' && speaksDialect(connection?.dialects ?? [], 'wilco');
  }

  /** The devices, and whether each is sent its own message. */
  get reached(): RolloutTarget {
    const { asked, draft } = this;
    if (asked.target.by === 'desired') return { ...asked.target, unknown: draft.unknown };
    if (asked.target.by !== 'search' || draft.reach === 'each') return asked.target;
    return {
      by: 'broadcast',
      group: draft.reach === 'group' ? draft.group : null,
      search: asked.target.search,
    };
  }

  /** Each device is given back what it had before: there is no command to fill in. */
  get putsBack(): boolean {
    return this.asked.follows?.reason === 'put_back' || this.#repeatsOwn || this.appliesDesired;
  }

  /** Each device is sent what differs from the configuration that is wanted of it. */
  get appliesDesired(): boolean {
    return this.asked.target.by === 'desired';
  }

  /** A rollout that put values back is sent again: its devices have their own arguments. */
  get #repeatsOwn(): boolean {
    const { follows, command } = this.asked;
    return follows !== undefined && command?.name === 'config.set' && !('changes' in objectFrom(command.args));
  }

  /** The rollout that this one follows, in words. */
  get followed(): string {
    return this.rollouts.numberOf(this.asked.follows?.rollout ?? '');
  }

  /** Something was typed that would be lost. */
  get isFilled(): boolean {
    return !this.started && (this.composer.isFilled || JSON.stringify(this.draft) !== this.#first);
  }

  /** Continues where it was left. */
  reopen(): void {
    this.failure = null;
    this.typedNumber = '';
    this.typedName = '';
    if (this.composer.targets === null)
      this.composer.targets = { connection: this.asked.connection, devices: [], offline: [] };
    void this.#count();
  }

  /** Plans again after a pause in typing. */
  replan(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#asked += 1;
    const asked = this.#asked;
    const { request } = this;
    if (request === null) {
      this.plan = null;
      this.planning = false;
      return;
    }
    this.planning = true;
    this.#timer = setTimeout(() => void this.#plan(request, asked), this.plan === null ? 0 : PAUSE);
  }

  /** Devices have changed, or the connection: what the preview says of them may be wrong by now. */
  take({ devices, connections }: Batch): void {
    if (this.plan !== null && (devices.includes(this.asked.connection) || connections !== null)) this.#again.ask();
  }

  #refresh(): void {
    const { request } = this;
    if (request !== null && !this.planning && !this.starting) void this.#plan(request, this.#asked);
  }

  /** Starts it. Says whether it was taken. */
  async start(): Promise<boolean> {
    this.checked = true;
    this.composer.checked = true;
    const { request } = this;
    if (request === null || this.starting || !this.isConfirmed) return false;
    this.starting = true;
    this.failure = null;
    try {
      const expected = this.#expected;
      const confirmed = { ...request, confirmed: this.#confirmed, ...(expected && { expected }) };
      const started = await this.rollouts.backend.startRollout(confirmed);
      this.rollouts.learn(started);
      this.started = true;
      // One stage is seen where one is; several are worth a page.
      const { route } = this.rollouts;
      if (started.stages.length > 1 || route.screen !== 'fleet') this.rollouts.show(started.id);
      return true;
    } catch (reason) {
      this.failure = failureOf(reason);
      if (this.failure.code === 'changed') await this.#askAgain(request);
      return false;
    } finally {
      this.starting = false;
    }
  }

  /** A dangerous command for many devices needs their number typed. */
  get isCounted(): boolean {
    return !this.needsNumber || this.typedNumber.trim().replaceAll(',', '') === String(this.members);
  }

  /** A rollout over a protected connection needs its name typed. */
  get isNamed(): boolean {
    return !this.needsName || this.typedName.trim() === this.connectionName;
  }

  get isConfirmed(): boolean {
    return this.isCounted && this.isNamed;
  }

  get connectionName(): string {
    const { connections } = this.rollouts;
    return connections.list.find(({ id }) => id === this.asked.connection)?.name ?? '';
  }

  get canStart(): boolean {
    return this.request !== null && this.plan !== null && this.plan.members > 0 && this.isConfirmed && !this.starting;
  }

  /** The label of the button that starts it. */
  get action(): string {
    const to = this.members === null ? 'all that match' : counted(this.members, 'device');
    if (this.plan?.needs_approval) return `Request approval for ${to}`;
    return this.dangerous ? `${visible(this.composer.title)}: ${to}` : `Send to ${to}`;
  }

  /** Which devices it interrupts, by name as far as they are few. */
  get which(): string {
    const { target } = this.asked;
    // Some of the chosen ones may be left out.
    const isWhole = target.by === 'devices' && target.devices.length === this.members;
    const named = isWhole ? target.devices : (this.plan?.samples ?? []).map(({ device }) => device);
    const atMost = this.needsNumber ? NAMED : TYPED_COUNT_ABOVE;
    const listed = named.slice(0, atMost).map(visibleName).join(', ');
    const others = (this.members ?? named.length) - Math.min(named.length, atMost);
    return listed === '' ? '' : `${listed}${others > 0 ? ` and ${counted(others, 'other')}` : ''}.`;
  }

  /** The target, in words. */
  get target(): { words: string; search: string | null } {
    const { target } = this.asked;
    switch (target.by) {
      case 'devices':
        return { words: counted(target.devices.length, 'device'), search: null };
      case 'search':
        return target.search.trim() === ''
          ? { words: 'Every device', search: null }
          : { words: '', search: target.search };
      case 'members': {
        const earlier = this.rollouts.find(target.rollout);
        const of = earlier === null ? 'an earlier rollout' : `rollout ${earlier.number}, ${nameOf(earlier)}`;
        const which = {
          failed: 'The failed devices',
          failed_or_not_started: 'The failed and not started devices',
          not_started: 'The devices not started',
          succeeded: 'The devices that succeeded',
          all: 'All devices',
          changed: 'The changed devices',
        }[target.which];
        return { words: `${which} of ${of}`, search: null };
      }
      case 'desired':
        return { words: 'Devices that differ from their desired configuration', search: null };
      case 'broadcast':
        return {
          words:
            target.group === null
              ? 'Every device, by broadcast'
              : `The group ${visibleName(target.group)}, by broadcast`,
          search: null,
        };
    }
  }

  get #confirmed(): Confirmed {
    if (this.needsName) return { name: this.typedName.trim() };
    return this.plan?.confirmation === 'ask' ? 'yes' : 'no';
  }

  /** The members that were confirmed, where something has to be: others are sent nothing. */
  get #expected(): ExpectedMembers | null {
    const { plan } = this;
    if (plan === null || (!this.dangerous && plan.confirmation === 'none')) return null;
    return { count: plan.members, fingerprint: plan.fingerprint };
  }

  /** The members are other ones than were confirmed. */
  async #askAgain(request: NewRollout): Promise<void> {
    this.typedNumber = '';
    this.typedName = '';
    this.checked = false;
    await this.#plan(request, this.#asked);
  }

  #fill(connection: string, name: string, args: Record<string, unknown>): void {
    const entry = this.rollouts.catalogue.find(connection, name);
    if (entry !== null) this.composer.choose({ kind: 'known', entry }, args);
    else if (name === 'text') {
      this.composer.choose({ kind: 'text' });
      this.composer.text = typeof args['text'] === 'string' ? args['text'] : '';
    } else {
      this.composer.choose({ kind: 'named', name }, args);
      this.composer.raw = toJson(args, 2);
    }
  }

  #request(): NewRollout | null {
    const { composer, asked, draft } = this;
    if (this.putsBack && !this.hasWrong) {
      const command = { name: composer.name, args: '{}' as const, no_answer: false, ...deliveryOf(draft) };
      const settings = settingsOf(draft, asked.connection);
      return {
        ...settings,
        name: settings.name ?? asked.name ?? null,
        target: this.reached,
        follows: asked.follows ?? null,
        command,
      };
    }
    if (composer.chosen === null || this.hasWrong || !composer.isReady) return null;
    const args = composer.chosen.kind === 'text' ? { text: composer.text } : composer.args;
    return {
      ...settingsOf(draft, asked.connection),
      target: this.reached,
      follows: asked.follows ?? null,
      command: { name: composer.name, args: toJson(args), no_answer: composer.noAnswer, ...deliveryOf(draft) },
    };
  }

  async #plan(request: NewRollout, asked: number): Promise<void> {
    try {
      const plan = await this.rollouts.backend.planRollout($state.snapshot(request) as NewRollout);
      if (asked !== this.#asked) return;
      this.plan = plan;
      if (this.appliesDesired) this.devices = plan.members;
      this.planFailure = null;
    } catch (reason) {
      if (asked !== this.#asked) return;
      this.plan = null;
      this.planFailure = failureOf(reason);
    }
    this.planning = false;
  }

  /** How many it is for, before there is a command to plan with. */
  async #count(): Promise<void> {
    const { target, connection } = this.asked;
    if (target.by === 'devices') this.devices = target.devices.length;
    if (target.by === 'members') {
      const earlier = this.rollouts.find(target.rollout);
      this.devices = earlier === null ? null : sum(earlier.counts, WHICH[target.which]);
    }
    if (target.by !== 'search' && target.by !== 'broadcast') return;
    const query = {
      connection,
      search: target.search,
      sort: 'device' as const,
      order: 'ascending' as const,
      group: null,
    };
    const page = await this.rollouts.backend.devices(query, 0, 1).catch(() => null);
    this.devices = page?.matching ?? null;
  }
}
