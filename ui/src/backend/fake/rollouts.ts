/** Rollouts that really run over the invented fleet: stages, rate, halt rule, pause, resume, stop. */

import type { ApprovalDecision } from '../bindings/ApprovalDecision';
import type { CommandView } from '../bindings/CommandView';
import { FAILED_MEMBERS, FINAL_STATES } from '../bindings/Constants';
import type { MemberPage } from '../bindings/MemberPage';
import type { MemberQuery } from '../bindings/MemberQuery';
import type { MemberState } from '../bindings/MemberState';
import type { MemberView } from '../bindings/MemberView';
import type { NewRollout } from '../bindings/NewRollout';
import type { PlannedRequests } from '../bindings/PlannedRequests';
import type { RolloutAction } from '../bindings/RolloutAction';
import type { RolloutDetail } from '../bindings/RolloutDetail';
import type { RolloutPlan } from '../bindings/RolloutPlan';
import type { RolloutView } from '../bindings/RolloutView';
import type { WaitsFor } from '../bindings/WaitsFor';
import type { WhichMembers } from '../bindings/WhichMembers';
import { failure } from './failure';
import type { FakeDevice } from './fleet';
import { answerTimes, causes, countMembers, firmwareTimes, sharedTraits, slowAnswers } from './rolloutDetail';
import { counted } from '../../format/count';
import { rolloutOf } from './newRollout';
import { fingerprintOf, membersOf, planOf, RATE, requestFor } from './rolloutPlan';

/** The parts of the invented engine that a rollout uses. */
export interface World {
  fleet(connection: string): FakeDevice[];
  search(connection: string, search: string): FakeDevice[];
  /** Sends a member's command and calls back with each change of it. */
  send(device: FakeDevice, rollout: RolloutView, onChange: (command: CommandView) => void): string;
  cancel(connection: string, device: string, id: string): void;
  isDangerous(connection: string, command: string): boolean;
  /** A rollout of it waits for the approval of a second installation. */
  needsApproval(connection: string, command: string): boolean;
  /** Something has changed. */
  say(rollout: RolloutView): void;
  newId(): string;
}

interface Run {
  view: RolloutView;
  members: MemberView[];
  devices: FakeDevice[];
  /** The next member to be released. */
  next: number;
  /** Releases that are due and not made yet. */
  due: number;
  /** When a pause between stages ends, Unix milliseconds. */
  pauseUntil: number | null;
  /** The next stage has been started by a person. */
  goAhead: boolean;
}

const TICK = 50;
/** An approval is accepted for a week, milliseconds. */
const EXPIRES_AFTER = 7 * 86_400_000;
const IN_FLIGHT = 250;
const ENDED: readonly MemberState[] = FINAL_STATES;

export class FakeRollouts {
  readonly #runs = new Map<string, Run>();
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor(
    readonly world: World,
    /** How many times as fast as the clock it runs. */
    readonly speed: number,
  ) {}

  get list(): RolloutView[] {
    return [...this.#runs.values()].map(({ view }) => view).reverse();
  }

  /** They are removed together with their connection. */
  removeOf(connection: string): void {
    for (const [id, { view }] of this.#runs) if (view.spec.connection === connection) this.#runs.delete(id);
  }

  plan(rollout: NewRollout): RolloutPlan {
    const dangerous = this.world.isDangerous(rollout.connection, rollout.command.name);
    const plan = planOf(this.#target(rollout), rollout, dangerous);
    if (rollout.target.by !== 'desired') return plan;
    const wanted = this.world.search(rollout.connection, rollout.target.search);
    const unreported = wanted.filter(({ desired }) => desired?.()?.state === 'unknown').map(({ row }) => row.device);
    const right = wanted.filter(({ desired }) => desired?.()?.state === 'as_wanted').length;
    const remarks =
      plan.members > 0 ? plan.remarks : [`Nothing differs: ${counted(right, 'device')} configured as wanted.`];
    return { ...plan, remarks, unreported: unreported.length, unreported_examples: unreported.slice(0, 5) };
  }

  requests(rollout: NewRollout, from: number, count: number): PlannedRequests {
    const { members } = membersOf(this.#target(rollout), rollout);
    const requests = members.slice(from, from + count).map((device) => requestFor(device, rollout));
    return { requests, from, total: members.length };
  }

  start(spec: NewRollout): RolloutView {
    const devices = membersOf(this.#target(spec), spec).members;
    const { expected } = spec;
    if (expected && expected.fingerprint !== fingerprintOf(devices))
      throw failure(
        'changed',
        `${expected.count} devices were confirmed, but now there are ${devices.length}, so nothing was sent.`,
        'Check the devices, then confirm again.',
      );
    if (devices.length === 0)
      throw failure('invalid', 'No device is left to send to.', 'Choose other devices, or leave out fewer.');
    const { view, members } = rolloutOf(spec, devices, this.world.newId(), this.#runs.size + 1);
    if (this.world.needsApproval(spec.connection, spec.command.name)) {
      view.state = 'waiting';
      view.waits_for = { what: 'approval' };
      view.approval = { expires_at: view.started_at + EXPIRES_AFTER, decision: null };
    }
    this.#runs.set(view.id, { view, members, devices, next: 0, due: 1, pauseUntil: null, goAhead: false });
    this.world.say(view);
    this.#timer ??= setInterval(() => this.#tick(), TICK);
    return view;
  }

  /** A second installation has answered. */
  decide(id: string, decision: ApprovalDecision): RolloutView {
    const run = this.#find(id);
    const { approval, waits_for: waits } = run.view;
    if (approval === null || waits?.what !== 'approval')
      throw failure('invalid', `Rollout ${run.view.number} no longer waits for an approval.`, 'Start another rollout.');
    const answered = { approval: { ...approval, decision }, waits_for: null };
    if (decision.verdict === 'approved') this.#change(run, { ...answered, state: 'running' });
    else {
      this.#stop(run);
      this.#change(run, { ...answered, why: `${decision.by} declined it.` });
    }
    return run.view;
  }

  detail(id: string): RolloutDetail {
    const { view, members } = this.#find(id);
    const fleet = new Map(this.world.fleet(view.spec.connection).map((device) => [device.row.device, device]));
    const followed = this.list.filter(({ spec }) => spec.follows?.rollout === id).map((other) => other.id);
    return {
      rollout: view,
      answer_times: answerTimes(members),
      firmware_times: firmwareTimes(members, fleet),
      causes: causes(members),
      shared: sharedTraits(members, fleet),
      slow: slowAnswers(members, fleet),
      followed_by: followed.reverse(),
      unexpected_devices: [],
      unexpected_count: 0,
      disagree: 0,
      disagreed: 0,
    };
  }

  members(query: MemberQuery, from: number, count: number): MemberPage {
    const matching = this.#find(query.rollout).members.filter(
      ({ state, message, stage }) =>
        (query.states.length === 0 || query.states.includes(state)) &&
        (query.message === null || message === query.message) &&
        (query.stage === null || stage === query.stage),
    );
    if (query.slowest_first) matching.sort((a, b) => (b.took_ms ?? -1) - (a.took_ms ?? -1));
    return { rows: matching.slice(from, from + count), from, matching: matching.length };
  }

  act(id: string, action: RolloutAction): RolloutView {
    const run = this.#find(id);
    const { state } = run.view;
    const refuse = (why: string) => failure('invalid', why, null);
    if (state === 'finished' || state === 'stopped') throw refuse('This rollout has ended.');
    if (run.view.waits_for?.what === 'approval' && action !== 'stop')
      throw refuse('The rollout waits for the approval of a second installation.');
    if (action === 'pause') this.#change(run, { state: 'paused', waits_for: null });
    if (action === 'resume') this.#change(run, { state: 'running', why: null, waits_for: null });
    if (action === 'stop') this.#stop(run);
    if (action === 'start_next_stage') {
      if (state !== 'waiting') throw refuse('This rollout is not waiting for its next stage.');
      run.goAhead = true;
      this.#step(run);
    }
    if (action === 'close_stage') {
      const stages = run.view.stages.map((stage, i) => (i === run.view.stage ? { ...stage, closed: true } : stage));
      this.#change(run, { stages });
    }
    return run.view;
  }

  note(id: string, note: string | null): RolloutView {
    const run = this.#find(id);
    this.#change(run, { spec: { ...run.view.spec, note } });
    return run.view;
  }

  #find(id: string): Run {
    const run = this.#runs.get(id);
    if (!run) throw failure('not_found', 'There is no such rollout.', null);
    return run;
  }

  #target({ connection, target }: NewRollout): FakeDevice[] {
    if (target.by === 'search' || target.by === 'broadcast') return this.world.search(connection, target.search);
    if (target.by === 'desired') {
      const states = target.unknown ? ['differs', 'unknown'] : ['differs'];
      return this.world
        .search(connection, target.search)
        .filter(({ desired }) => states.includes(desired?.()?.state ?? ''));
    }
    const byId = new Map(this.world.fleet(connection).map((device) => [device.row.device, device]));
    const ids = target.by === 'devices' ? target.devices : this.#chosen(target.rollout, target.which);
    return ids.flatMap((id) => byId.get(id) ?? []);
  }

  #chosen(rollout: string, which: WhichMembers): string[] {
    const fits = ({ state }: MemberView) => {
      if (which === 'all') return true;
      if (which === 'succeeded') return state === 'succeeded';
      if (which === 'changed') return state === 'succeeded' || state === 'timed_out';
      const notStarted = state === 'pending';
      if (which === 'not_started') return notStarted;
      return FAILED_MEMBERS.includes(state) || (which === 'failed_or_not_started' && notStarted);
    };
    return this.#find(rollout)
      .members.filter(fits)
      .map(({ device }) => device);
  }

  #tick(): void {
    for (const run of this.#runs.values()) this.#step(run);
    if ([...this.#runs.values()].every(({ view }) => view.ended_at !== null) && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
  }

  #step(run: Run): void {
    const { view } = run;
    if (view.ended_at !== null) return;
    if (view.state === 'halted' || view.state === 'stopped') {
      if (inFlight(run) === 0) this.#change(run, { ended_at: Date.now() });
      return;
    }
    if (view.state === 'paused' || view.waits_for?.what === 'approval') return;
    this.#release(run);
    this.#endStage(run);
  }

  #release(run: Run): void {
    const { spec, stage } = run.view;
    if (run.view.state !== 'running') return;
    const limit = spec.in_flight ?? IN_FLIGHT;
    run.due = Math.min(run.due + ((spec.rate ?? RATE) * this.speed * TICK) / 1_000, limit);
    while (run.due >= 1 && inFlight(run) < limit) {
      const [member, device] = [run.members[run.next], run.devices[run.next]];
      if (!member || !device || member.stage > stage) return;
      const place = run.next++;
      run.due -= 1;
      run.members[place] = { ...member, state: 'queued', released_at: Date.now() };
      const command = this.world.send(device, ownView(run.view, member), (view) => this.#follow(run, place, view));
      run.members[place] = { ...(run.members[place] as MemberView), command };
      this.#count(run);
    }
  }

  #follow(run: Run, place: number, command: CommandView): void {
    const member = run.members[place];
    if (!member) return;
    const took =
      command.finished_at !== null && command.sent_at !== null ? command.finished_at - command.sent_at : null;
    run.members[place] = {
      ...member,
      command: command.id,
      state: command.state as MemberView['state'],
      message: command.message,
      attempts: command.attempts,
      finished_at: command.finished_at,
      took_ms: took === null ? null : took * this.speed,
    };
    this.#count(run);
    this.#halt(run);
  }

  #halt(run: Run): void {
    const { spec, counts, state } = run.view;
    const { halt } = spec;
    if (halt === null || (state !== 'running' && state !== 'waiting')) return;
    const failed =
      counts.failed + counts.rejected + counts.undeliverable + (halt.count_timeouts ? counts.timed_out : 0);
    const ended = ENDED.reduce((sum, end) => sum + counts[end], 0);
    if (ended < halt.after) return;
    const share = (100 * failed) / Math.max(1, ended);
    const above = halt.above.unit === 'members' ? failed > halt.above.count : share > halt.above.percent;
    if (!above) return;
    const limit = halt.above.unit === 'members' ? `${halt.above.count}` : `${halt.above.percent} %`;
    const why = `${failed} of ${ended} failed, which is more than ${limit}.`;
    this.#change(run, { state: 'halted', why, waits_for: null });
  }

  #endStage(run: Run): void {
    const { view } = run;
    const { spec, stage } = view;
    const members = run.members.filter((member) => member.stage === stage);
    const current = view.stages[stage];
    if (!current || !members.every(({ state }) => ENDED.includes(state) || (current.closed && state !== 'pending')))
      return;
    const now = Date.now();
    if (current.ended_at === null) {
      this.#change(run, { stages: view.stages.map((one, i) => (i === stage ? { ...one, ended_at: now } : one)) });
      const pause = spec.between.then === 'pause' ? spec.between.pause_ms : 0;
      const wait = Math.max(pause, spec.gate?.for_ms ?? 0);
      if (wait > 0) run.pauseUntil = now + wait / this.speed;
    }
    if (stage === view.stages.length - 1) {
      this.#change(run, { state: 'finished', waits_for: null, ended_at: now });
      return;
    }
    const asks = spec.between.then === 'ask';
    const pauses = run.pauseUntil !== null && now < run.pauseUntil;
    if (!run.goAhead && (asks || pauses)) {
      if (view.state === 'waiting') return;
      const waits_for: WaitsFor = asks
        ? { what: 'person' }
        : spec.between.then === 'pause' || spec.gate === null
          ? { what: 'pause', until: run.pauseUntil ?? now }
          : { what: 'gate', until: run.pauseUntil ?? now, unmeasured: 0, unmeasured_examples: [] };
      this.#change(run, { state: 'waiting', waits_for });
      return;
    }
    run.goAhead = false;
    run.pauseUntil = null;
    const stages = run.view.stages.map((one, i) => (i === stage + 1 ? { ...one, started_at: now } : one));
    this.#change(run, { state: 'running', waits_for: null, stage: stage + 1, stages });
  }

  #stop(run: Run): void {
    this.#change(run, { state: 'stopped', why: null, waits_for: null });
    for (const { device, command, state } of run.members)
      if (command !== null && (state === 'queued' || state === 'held'))
        this.world.cancel(run.view.spec.connection, device, command);
    this.#step(run);
  }

  #count(run: Run): void {
    const counts = countMembers(run.members);
    const stages = run.view.stages.map((stage, i) => {
      if (i > run.view.stage) return stage;
      const own = countMembers(run.members.filter((member) => member.stage === i));
      return { ...stage, counts: own, waiting_for_offline: own.held };
    });
    this.#change(run, { counts, stages });
  }

  #change(run: Run, change: Partial<RolloutView>): void {
    run.view = { ...run.view, ...change, changed_at: Date.now() };
    this.world.say(run.view);
  }
}

function inFlight({ members, next }: Run): number {
  let open = 0;
  for (let i = 0; i < next; i++) if (!ENDED.includes(members[i]?.state ?? 'succeeded')) open += 1;
  return open;
}

/** A rollout for a member with its own arguments. */
function ownView(view: RolloutView, { args }: MemberView): RolloutView {
  if (args === null) return view;
  return { ...view, spec: { ...view.spec, command: { ...view.spec.command, args } } };
}
