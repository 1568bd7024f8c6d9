/** The analysis of an invented rollout's answers. */

import type { AnswerTimes } from '../bindings/AnswerTimes';
import { FAILED_MEMBERS, STATES_FROM_DEVICE } from '../bindings/Constants';
import type { Cause } from '../bindings/Cause';
import type { MemberCounts } from '../bindings/MemberCounts';
import type { MemberState } from '../bindings/MemberState';
import type { MemberView } from '../bindings/MemberView';
import type { SharedTrait } from '../bindings/SharedTrait';
import type { SlowAnswers } from '../bindings/SlowAnswers';
import type { TimesView } from '../bindings/TimesView';
import type { FakeDevice } from './fleet';
import { viewOf } from './times';

const ANSWERED: readonly MemberState[] = STATES_FROM_DEVICE;

const BUCKETS = 48;
const STEPS = [1, 2, 2.5, 5, 10];

export function noCounts(): MemberCounts {
  return {
    pending: 0,
    queued: 0,
    held: 0,
    sent: 0,
    at_broker: 0,
    accepted: 0,
    running: 0,
    succeeded: 0,
    failed: 0,
    rejected: 0,
    undeliverable: 0,
    unconfirmed: 0,
    timed_out: 0,
    expired: 0,
    cancelled: 0,
  };
}

export function countMembers(members: MemberView[]): MemberCounts {
  const counts = noCounts();
  for (const { state } of members) counts[state] += 1;
  return counts;
}

export function answerTimes(members: MemberView[]): AnswerTimes {
  const times = members
    .flatMap(({ state, took_ms }) => (took_ms !== null && ANSWERED.includes(state) ? [took_ms] : []))
    .sort((a, b) => a - b);
  const last = times.at(-1);
  if (last === undefined)
    return { count: 0, bucket_ms: 50, buckets: [], p50_ms: null, p95_ms: null, p99_ms: null, max_ms: null };
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? last;
  const bucket_ms = wide(Math.min(last, at(0.99) * 1.2) / BUCKETS);
  const buckets = new Array<number>(Math.min(BUCKETS, Math.floor(last / bucket_ms) + 1)).fill(0);
  for (const time of times) {
    const place = Math.min(buckets.length - 1, Math.floor(time / bucket_ms));
    buckets[place] = (buckets[place] ?? 0) + 1;
  }
  return { count: times.length, bucket_ms, buckets, p50_ms: at(0.5), p95_ms: at(0.95), p99_ms: at(0.99), max_ms: last };
}

/** By the firmware that the members report now; nothing where all report the same. */
export function firmwareTimes(members: MemberView[], fleet: Map<string, FakeDevice>): TimesView[] {
  const found = new Map<string | null, number[]>();
  for (const { device, state, took_ms } of members) {
    if (took_ms === null || !ANSWERED.includes(state)) continue;
    const firmware = fleet.get(device)?.row.firmware ?? null;
    found.set(firmware, [...(found.get(firmware) ?? []), took_ms]);
  }
  const views = [...found].map(([name, times]) => viewOf(name, times));
  return views.length > 1 ? views.sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1)) : [];
}

/** The smallest width of 1, 2, 2.5 or 5 times a power of ten that is enough. */
function wide(ms: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, ms)));
  return (STEPS.find((step) => step * power >= ms) ?? 10) * power;
}

export function causes(members: MemberView[]): Cause[] {
  const found = new Map<string, Cause>();
  for (const { state, message } of members) {
    if (state === 'pending' || !FAILED_MEMBERS.includes(state)) continue;
    const key = `${state} ${message}`;
    const cause = found.get(key) ?? { message: message ?? '', state, count: 0 };
    found.set(key, { ...cause, count: cause.count + 1 });
  }
  return [...found.values()].sort((a, b) => b.count - a.count).slice(0, 20);
}

/** Properties of most failed devices that few of the others have: firmware and tags. */
export function sharedTraits(members: MemberView[], fleet: Map<string, FakeDevice>): SharedTrait[] {
  const failed = members.filter(({ state }) => state === 'failed' || state === 'rejected' || state === 'timed_out');
  const succeeded = members.filter(({ state }) => state === 'succeeded');
  return separating(failed, succeeded, fleet);
}

/** What the members share that took more than twice as long as half of all. */
export function slowAnswers(members: MemberView[], fleet: Map<string, FakeDevice>): SlowAnswers | null {
  const answered = members.filter(({ state, took_ms }) => took_ms !== null && ANSWERED.includes(state));
  const p50 = answerTimes(members).p50_ms ?? 0;
  const above_ms = Math.max(2 * p50, p50 + 250);
  const slow = answered.filter(({ took_ms }) => (took_ms ?? 0) > above_ms);
  const quick = answered.filter(({ took_ms }) => (took_ms ?? 0) <= above_ms);
  const shared = separating(slow, quick, fleet).map(
    ({ kind, value, search, failed_with: slow_with, succeeded_with: quick_with, succeeded }) => ({
      ...{ kind, value, search, slow_with, quick_with },
      quick: succeeded,
    }),
  );
  return shared.length > 0 ? { above_ms, count: slow.length, shared } : null;
}

function separating(failed: MemberView[], succeeded: MemberView[], fleet: Map<string, FakeDevice>): SharedTrait[] {
  const traits = new Map<string, SharedTrait>();
  const note = (list: MemberView[], field: 'failed_with' | 'succeeded_with') => {
    for (const { device, firmware } of list) {
      const tags = fleet.get(device)?.row.tags ?? [];
      const own: [SharedTrait['kind'], string, string][] = tags.map((tag) => ['tag', tag, `tag:${tag}`]);
      if (firmware !== null) own.push(['firmware', firmware, `firmware:${firmware}`]);
      for (const [kind, value, search] of own) {
        const blank = { failed_with: 0, failed: failed.length, succeeded_with: 0, succeeded: succeeded.length };
        const trait = traits.get(search) ?? { kind, value, search, ...blank };
        traits.set(search, { ...trait, [field]: trait[field] + 1 });
      }
    }
  };
  note(failed, 'failed_with');
  note(succeeded, 'succeeded_with');
  const gap = (trait: SharedTrait) =>
    trait.failed_with / Math.max(1, trait.failed) - trait.succeeded_with / Math.max(1, trait.succeeded);
  return [...traits.values()]
    .filter((trait) => trait.failed_with >= 2 && gap(trait) > 0.35)
    .sort((a, b) => gap(b) - gap(a))
    .slice(0, 5);
}
