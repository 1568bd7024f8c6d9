/** The texts for a rollout, its stages and its members. */

import type { CommandState } from '../../backend/bindings/CommandState';
import { FAILED_MEMBERS, FINAL_STATES, OPEN_STATES } from '../../backend/bindings/Constants';
import type { MemberCounts } from '../../backend/bindings/MemberCounts';
import type { MemberState } from '../../backend/bindings/MemberState';
import type { NewRollout } from '../../backend/bindings/NewRollout';
import type { RolloutState } from '../../backend/bindings/RolloutState';
import type { RolloutView } from '../../backend/bindings/RolloutView';
import type { SharedTrait } from '../../backend/bindings/SharedTrait';
import type { SlowAnswers } from '../../backend/bindings/SlowAnswers';
import type { SlowTrait } from '../../backend/bindings/SlowTrait';
import type { StageView } from '../../backend/bindings/StageView';
import type { WaitsFor } from '../../backend/bindings/WaitsFor';
import type { WhichMembers } from '../../backend/bindings/WhichMembers';
import { changes, detail, title } from '../../format/command';
import { count, counted } from '../../format/count';
import { isWithdrawable } from '../../format/states';
import { visible, visibleName } from '../../format/text';
import { clock, duration, left } from '../../format/time';

/** Handed to MQTT, and not at the end. */
export const IN_FLIGHT: readonly MemberState[] = OPEN_STATES.filter((state) => !isWithdrawable(state));
/** The order in which states stand in a bar and in a table: what is done, what went wrong, what is on its way. */
export const IN_ORDER: CommandState[] = [
  'succeeded',
  'unconfirmed',
  'failed',
  'rejected',
  'undeliverable',
  'timed_out',
  'expired',
  'cancelled',
  'running',
  'accepted',
  'at_broker',
  'sent',
  'held',
  'queued',
];

interface StateWords {
  word: string;
  glyph: string;
  /** The state of a command whose colour it has. */
  colour: CommandState;
}

const STATES: Record<RolloutState, StateWords> = {
  running: { word: 'Running', glyph: 's-running', colour: 'running' },
  waiting: { word: 'Waiting', glyph: 's-waiting', colour: 'sent' },
  paused: { word: 'Paused', glyph: 's-held', colour: 'queued' },
  halted: { word: 'Halted', glyph: 's-rejected', colour: 'failed' },
  stopped: { word: 'Stopped', glyph: 's-cancelled', colour: 'queued' },
  finished: { word: 'Finished', glyph: 's-succeeded', colour: 'succeeded' },
};

const UNAPPROVED: StateWords = { word: 'Waiting for approval', glyph: 's-waiting', colour: 'sent' };

export function stateText(rollout: Pick<RolloutView, 'state' | 'waits_for'>): StateWords {
  return isUnapproved(rollout) ? UNAPPROVED : STATES[rollout.state];
}

/** Nothing is sent until a second installation has approved it. */
export function isUnapproved({ waits_for }: Pick<RolloutView, 'waits_for'>): boolean {
  return waits_for?.what === 'approval';
}

/** `Running, stage 3 of 4`. */
export function pillText(rollout: RolloutView): string {
  const { word } = stateText(rollout);
  const many = rollout.stages.length > 1 && rollout.state !== 'finished' && !isUnapproved(rollout);
  return many ? `${word}, stage ${rollout.stage + 1} of ${rollout.stages.length}` : word;
}

export function sum(counts: MemberCounts, states: readonly MemberState[]): number {
  return states.reduce((total, state) => total + counts[state], 0);
}

/** It releases members, or will do so. */
export function isActive({ state }: Pick<RolloutView, 'state'>): boolean {
  return state === 'running' || state === 'waiting' || state === 'paused';
}

/** A person may still do something about it. */
export function isOpen(rollout: Pick<RolloutView, 'state'>): boolean {
  return isActive(rollout) || rollout.state === 'halted';
}

/** It waits between two stages, and a person may start the next one now. */
export function canStartNextStage({ waits_for }: Pick<RolloutView, 'waits_for'>): boolean {
  return waits_for?.what === 'person' || waits_for?.what === 'pause' || waits_for?.what === 'gate';
}

/** Only offline devices keep the next stage from starting. */
export function canCloseStage(rollout: RolloutView): boolean {
  const stage = rollout.stages[rollout.stage];
  if (!stage || rollout.stage >= rollout.stages.length - 1) return false;
  const waits = stage.counts.pending === 0 && stage.waiting_for_offline > 0;
  return waits && !stage.closed && isOpen(rollout) && !isUnapproved(rollout);
}

/** Its changes can be put back: it has set configuration, and releases nothing now. */
export function canPutBack({ spec, state }: Pick<RolloutView, 'spec' | 'state'>): boolean {
  return spec.command.name === 'config.set' && state !== 'running' && state !== 'waiting';
}

/** The command with its arguments: `led on`, `config.set report_interval_s 60`. */
export function commandLine({ command }: Pick<NewRollout, 'command'>): string {
  const view = { command: command.name, args: command.args };
  if (command.name === 'led' || command.name === 'text') return title(view);
  return `${title(view)} ${command.name === 'config.set' ? changes(view) : detail(view)}`.trim();
}

/** Its title: its name, or the command with its arguments. */
export function nameOf({ spec }: Pick<RolloutView, 'spec'>): string {
  const name = spec.name?.trim() ?? '';
  return name === '' ? commandLine(spec) : visibleName(name);
}

/** It has a name. */
export const isNamed = ({ spec }: Pick<RolloutView, 'spec'>): boolean => (spec.name?.trim() ?? '') !== '';

const WHICH: Record<WhichMembers, string> = {
  failed: 'the failed devices',
  failed_or_not_started: 'the failed and not started devices',
  not_started: 'the devices not started',
  succeeded: 'the devices that succeeded',
  all: 'the devices',
  changed: 'the changed devices',
};

/** The target of a rollout: the search in full, or in words. */
export function targetOf({ target }: Pick<NewRollout, 'target'>, members: number, numberOf: (id: string) => string) {
  switch (target.by) {
    case 'devices':
      return { words: counted(members, 'selected device'), search: null };
    case 'search':
      return { words: target.search.trim() === '' ? 'every device' : '', search: target.search.trim() || null };
    case 'members':
      return { words: `${WHICH[target.which]} of ${numberOf(target.rollout)}`, search: null };
    case 'desired':
      return { words: 'devices that differed from their desired configuration', search: null };
    case 'broadcast':
      return {
        words:
          target.group === null ? 'every device, by broadcast' : `the group ${visibleName(target.group)}, by broadcast`,
        search: null,
      };
  }
}

/** `10 devices`, `All the rest, 2,894 devices`. */
export function stageName(stage: StageView, place: number, stages: StageView[]): string {
  const devices = counted(stage.members, 'device');
  return stages.length > 1 && place === stages.length - 1 ? `All the rest, ${devices}` : devices;
}

/** Which of the states of a command a stage is shown in. */
export function stageState(stage: StageView, place: number, rollout: RolloutView): CommandState {
  if (stage.ended_at !== null || sum(stage.counts, FINAL_STATES) === stage.members) return 'succeeded';
  if (place !== rollout.stage || stage.started_at === null) return 'queued';
  return STATES[rollout.state].colour;
}

/** The state of a stage, and the next step. The first part is the number. `timeLeft`: at its pace, milliseconds. */
export function stageNote(
  stage: StageView,
  place: number,
  rollout: RolloutView,
  now: number,
  timeLeft: number | null = null,
): [string, string] {
  const ended = sum(stage.counts, FINAL_STATES);
  const done = ended === stage.members || stage.ended_at !== null;
  if (done) {
    const { succeeded, unconfirmed } = stage.counts;
    const unsaid = unconfirmed > 0 ? `, ${count(unconfirmed)} unconfirmed` : '';
    const open = stage.members - ended;
    const closed = stage.closed && open > 0 ? `, closed while ${counted(open, 'device')} had not answered` : '';
    return [
      `${count(succeeded)} of ${count(stage.members)}`,
      ` succeeded${unsaid}${closed}${afterwards(place, rollout, now)}`,
    ];
  }
  if (place === rollout.stage && isUnapproved(rollout)) return ['', 'Starts once approved'];
  if (place > rollout.stage || stage.started_at === null) return ['', beginsWhen(rollout)];
  const parts = [
    counted(sum(stage.counts, IN_FLIGHT), 'in flight', 'in flight'),
    counted(stage.counts.pending + stage.counts.queued, 'to send', 'to send'),
  ];
  if (stage.counts.held > 0) parts.push(`${count(stage.counts.held)} held for offline devices`);
  return [`${count(ended)} ended`, `, ${parts.join(', ')}${lasts(stage, rollout, timeLeft)}`];
}

/** The pause or confirmation between this stage and the next one. */
function afterwards(place: number, rollout: RolloutView, now: number): string {
  if (place >= rollout.stages.length - 1) return '';
  const { between } = rollout.spec;
  if (place < rollout.stage) return between.then === 'pause' ? `, then ${duration(between.pause_ms)} pause` : '';
  const { waits_for: waits } = rollout;
  if (waits === null) return '';
  return `. ${waitText(rollout, now)}`;
}

/**
 * What became of the members of a rollout that has ended: `all 40 succeeded`, or `3 of 40 failed, 2 cancelled`. One that is
 * cancelled has not failed, and one that is unconfirmed has not succeeded.
 */
export function outcomeText({ counts, members }: Pick<RolloutView, 'counts' | 'members'>): string {
  const { cancelled, unconfirmed } = counts;
  const numbers: [number, string][] = [
    [sum(counts, FAILED_MEMBERS) - cancelled, 'failed'],
    [cancelled, 'cancelled'],
    [unconfirmed, 'unconfirmed'],
  ];
  const some = numbers.filter(([n]) => n > 0);
  if (some.length === 0) return `all ${count(members)} succeeded`;
  return some.map(([n, word], i) => `${count(n)}${i === 0 ? ` of ${count(members)}` : ''} ${word}`).join(', ');
}

/** The reason why a rollout waits, as a sentence. */
export function waitText(
  { waits_for: waits, spec }: Pick<RolloutView, 'waits_for'> & { spec: Pick<NewRollout, 'gate'> },
  now: number,
): string {
  switch (waits?.what) {
    case 'approval':
      return 'Starts when a second installation has approved it';
    case 'person':
      return 'Waiting for you to start the next stage';
    case 'pause':
      return `The next stage starts in ${left(waits.until - now)}`;
    case 'gate':
      return gateText(waits, visible(spec.gate?.series ?? 'the measurement'), now);
    case 'hours':
      return `Maintenance hours begin at ${clock(waits.until)}`;
    case 'connection':
      return 'Continues when the connection is back';
    default:
      return '';
  }
}

function gateText(waits: Extract<WaitsFor, { what: 'gate' }>, series: string, now: number): string {
  if (waits.until !== null) return `Watching ${series} for another ${left(waits.until - now)}`;
  if (waits.unmeasured === 0) return `No finished device reports ${series}`;
  const names = waits.unmeasured_examples.map(visibleName).join(', ');
  const others = waits.unmeasured - waits.unmeasured_examples.length;
  return `Waiting for ${series} from ${names}${others > 0 ? ` and ${counted(others, 'other')}` : ''}`;
}

function beginsWhen({ spec, state }: RolloutView): string {
  if (!isOpen({ state })) return 'Not started';
  const gate = spec.gate === null ? '' : `with ${visible(spec.gate.series)} within its limits`;
  switch (spec.between.then) {
    case 'continue':
      return gate === ''
        ? 'Starts automatically'
        : `Starts automatically after ${duration(spec.gate?.for_ms ?? 0)} ${gate}`;
    case 'pause':
      return `Starts automatically after ${duration(spec.between.pause_ms)} without a halt${gate && ` and ${gate}`}`;
    case 'ask':
      return `Starts manually${gate && `, ${gate}`}`;
  }
}

/** How long a stage still takes: at its pace, or before that is known, at the rate that it was given. */
function lasts(stage: StageView, { spec, state }: RolloutView, timeLeft: number | null): string {
  if (state === 'running' && timeLeft !== null) return `, ${expected(timeLeft)} left`;
  const due = stage.counts.pending + stage.counts.queued;
  if (state !== 'running' || spec.rate === null || due === 0) return '';
  return `. ${left((due / spec.rate) * 1_000)} left at this rate`;
}

/** How near a rollout is to its halt rule. */
export interface HaltGauge {
  /** Failed ones, per cent of the ended, or as a number. */
  value: number;
  limit: number;
  unit: string;
  ended: number;
  /** The number of further commands that must end before it can halt. */
  before: number;
}

export function haltGauge({ spec, counts, ended_before, failed_before }: RolloutView): HaltGauge | null {
  const { halt } = spec;
  if (halt === null) return null;
  const allFailed =
    counts.failed +
    counts.rejected +
    counts.undeliverable +
    (halt.count_timeouts ? counts.timed_out + counts.expired : 0);
  // After a halt it counts anew.
  const ended = Math.max(0, sum(counts, FINAL_STATES) - counts.cancelled - ended_before);
  const failed = Math.max(0, allFailed - failed_before);
  const before = Math.max(0, halt.after - ended);
  if (halt.above.unit === 'members') return { value: failed, limit: halt.above.count, unit: '', ended, before };
  return { value: ended === 0 ? 0 : (100 * failed) / ended, limit: halt.above.percent, unit: ' %', ended, before };
}

/** `1.4 %`, `12`. */
export function haltValue(value: number, unit: string): string {
  return `${unit === '' ? count(value) : Number(value.toFixed(value < 10 ? 1 : 0))}${unit}`;
}

const TRAITS: Record<SharedTrait['kind'], [one: string, many: string]> = {
  firmware: ['runs firmware', 'run firmware'],
  tag: ['has the tag', 'have the tag'],
  configuration: ['has', 'have'],
  restart: ['restarted', 'restarted'],
};

/** `41 of 41 failed devices run firmware 2.3.0`, and what the others do. */
export function traitText(trait: SharedTrait): [string, string] {
  const [one, many] = TRAITS[trait.kind];
  const verb = trait.failed_with === 1 ? one : many;
  const others = trait.kind === 'restart' ? 'did' : trait.succeeded_with === 1 ? 'does' : 'do';
  return [
    `${count(trait.failed_with)} of ${count(trait.failed)} failed devices ${verb} ${visible(trait.value)}`,
    `${count(trait.succeeded_with)} of ${count(trait.succeeded)} that succeeded ${others}`,
  ];
}

/** `84 of 90 devices that took longer than 950 ms have the tag kitchen`, and what the quicker ones do. */
export function slowText({ above_ms, count: slow }: SlowAnswers, trait: SlowTrait): [string, string] {
  const [one, many] = TRAITS[trait.kind];
  const others = trait.kind === 'restart' ? 'did' : trait.quick_with === 1 ? 'does' : 'do';
  const which = `${count(slow)} devices that took longer than ${duration(above_ms)}`;
  return [
    `${count(trait.slow_with)} of ${which} ${trait.slow_with === 1 ? one : many} ${visible(trait.value)}`,
    `${count(trait.quick_with)} of ${count(trait.quick)} quicker ones ${others}`,
  ];
}

/** Failed devices from which on common traits are looked for. */
const LEAST_FAILED = 3;

/** Why no common trait of the failed devices is named; null where none has failed. */
export function nothingShared(counts: MemberCounts): string | null {
  const failed = counts.failed + counts.rejected + counts.timed_out + counts.undeliverable;
  if (failed === 0) return null;
  if (failed < LEAST_FAILED) return `Wilco looks for common traits once ${LEAST_FAILED} devices have failed.`;
  if (counts.succeeded === 0) return 'No device has succeeded, so there is nothing to compare the failed ones with.';
  return 'No firmware, tag, setting or restart distinguishes the failed devices from those that succeeded.';
}

/** A cause as a chip says it. */
export function causeText({ message, state }: { message: string; state: MemberState }): string {
  if (state === 'timed_out') return 'no answer';
  if (state === 'expired') return 'expired before it was sent';
  if (state === 'cancelled') return 'cancelled';
  return message === '' ? 'no reason given' : visible(message);
}

/** A length of time to expect: `under a second`, `about 42 s`, `about 12 min`. */
export function expected(ms: number): string {
  if (ms < 1_000) return 'under a second';
  if (ms < 90_000) return `about ${Math.round(ms / 1_000)} s`;
  if (ms < 5_400_000) return `about ${Math.round(ms / 60_000)} min`;
  if (ms < 172_800_000) return `about ${(ms / 3_600_000).toFixed(1)} h`;
  return `about ${Math.round(ms / 86_400_000)} days`;
}
