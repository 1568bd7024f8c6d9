import { describe, expect, it } from 'vitest';

import type { RolloutView } from '../../backend/bindings/RolloutView';
import { counts, newRollout, rolloutView } from '../../test/rollouts';
import {
  canCloseStage,
  canStartNextStage,
  causeText,
  commandLine,
  expected,
  haltGauge,
  haltValue,
  nameOf,
  nothingShared,
  outcomeText,
  pillText,
  stageName,
  stageNote,
  stageState,
  targetOf,
  traitText,
} from './format';

const stage = {
  members: 10,
  counts: counts(),
  waiting_for_offline: 0,
  started_at: null,
  ended_at: null,
  closed: false,
};

describe('a rollout', () => {
  it('is shown with its name, or its command with all arguments', () => {
    expect(nameOf(rolloutView())).toBe('led on');
    expect(nameOf(rolloutView({ spec: newRollout({ name: ' Lights ' }) }))).toBe('Lights');
    const args = JSON.stringify({ changes: { report_interval_s: 60, buzzer: false }, apply: 'restart' });
    const command = { ...newRollout().command, name: 'config.set', args };
    expect(commandLine({ command })).toBe('config.set report_interval_s 60, buzzer false, on next restart');
  });

  it('says which of its stages runs, unless there is only one', () => {
    expect(pillText(rolloutView())).toBe('Running');
    expect(pillText(rolloutView({ stages: [stage, stage, stage], stage: 1 }))).toBe('Running, stage 2 of 3');
    expect(pillText(rolloutView({ stages: [stage, stage], state: 'finished' }))).toBe('Finished');
  });

  it('names its target as it was chosen', () => {
    const number = () => 'rollout 41';
    const words = (target: Parameters<typeof targetOf>[0]['target']) => targetOf({ target }, 37, number);
    expect(words({ by: 'devices', devices: [] }).words).toBe('37 selected devices');
    expect(words({ by: 'search', search: 'tag:kitchen' }).search).toBe('tag:kitchen');
    expect(words({ by: 'search', search: ' ' }).words).toBe('every device');
    expect(words({ by: 'members', rollout: 'r', which: 'failed_or_not_started' }).words).toBe(
      'the failed and not started devices of rollout 41',
    );
    expect(words({ by: 'broadcast', group: 'roof', search: '' }).words).toBe('the group roof, by broadcast');
  });
});

describe('a stage', () => {
  it('shows its progress', () => {
    const now = counts({ succeeded: 603, failed: 9, accepted: 41, at_broker: 18, pending: 329 });
    const running = { ...stage, members: 1_000, counts: now, started_at: 1 };
    const rollout = rolloutView({ stages: [running], spec: newRollout({ rate: 100 }) });
    expect(stageNote(running, 0, rollout, 0).join('')).toBe(
      '612 ended, 59 in flight, 329 to send. 3.3 s left at this rate',
    );
    expect(stageNote(running, 0, rollout, 0, 42_000).join('')).toBe(
      '612 ended, 59 in flight, 329 to send, about 42 s left',
    );
    expect(stageNote(running, 0, { ...rollout, state: 'paused' }, 0, 42_000).join('')).not.toContain('left');
    expect(stageState(running, 0, rollout)).toBe('running');
  });

  it('shows what it waits for and what follows', () => {
    const done = {
      ...stage,
      counts: counts({ succeeded: 8, failed: 1, held: 1 }),
      started_at: 1,
      ended_at: 2,
      closed: true,
    };
    const last = { ...stage, members: 2_894 };
    const spec = newRollout({ between: { then: 'pause', pause_ms: 600_000 } });
    const waits_for = { what: 'pause' as const, until: 60_000 };
    const rollout = rolloutView({ spec, stages: [done, last], state: 'waiting', waits_for });
    expect(stageNote(done, 0, rollout, 0).join('')).toBe(
      '8 of 10 succeeded, closed while 1 device had not answered. The next stage starts in 60 s',
    );
    expect(stageNote(last, 1, rollout, 0).join('')).toBe('Starts automatically after 10 min without a halt');
    expect(stageName(last, 1, rollout.stages)).toBe('All the rest, 2,894 devices');
    expect(stageNote(last, 1, { ...rollout, state: 'stopped' }, 0).join('')).toBe('Not started');
    const unapproved = rolloutView({ spec, stages: [stage], state: 'waiting', waits_for: { what: 'approval' } });
    expect(stageNote(stage, 0, unapproved, 0).join('')).toBe('Starts once approved');
  });
});

describe('the end of a rollout', () => {
  const outcome = (given: Parameters<typeof counts>[0]) => outcomeText({ counts: counts(given), members: 40 });

  it('calls nothing succeeded or failed that is not', () => {
    expect(outcome({ succeeded: 40 })).toBe('all 40 succeeded');
    expect(outcome({ succeeded: 37, failed: 2, timed_out: 1 })).toBe('3 of 40 failed');
    expect(outcome({ succeeded: 30, failed: 3, cancelled: 2, unconfirmed: 5 })).toBe(
      '3 of 40 failed, 2 cancelled, 5 unconfirmed',
    );
    expect(outcome({ unconfirmed: 40 })).toBe('40 of 40 unconfirmed');
    const done = { ...stage, counts: counts({ succeeded: 7, unconfirmed: 3 }), started_at: 1, ended_at: 2 };
    expect(stageNote(done, 0, rolloutView({ stages: [done] }), 0).join('')).toBe('7 of 10 succeeded, 3 unconfirmed');
  });
});

describe('the actions on a stage', () => {
  const waits = (waits_for: RolloutView['waits_for']) =>
    canStartNextStage(rolloutView({ state: 'waiting', waits_for, stages: [stage, stage] }));

  it('the next one starts early between two stages, and not where it waits within one', () => {
    expect(waits({ what: 'person' })).toBe(true);
    expect(waits({ what: 'pause', until: 1 })).toBe(true);
    expect(waits({ what: 'gate', until: null, unmeasured: 0, unmeasured_examples: [] })).toBe(true);
    expect(waits({ what: 'hours', until: 1 })).toBe(false);
    expect(waits({ what: 'connection' })).toBe(false);
    expect(waits({ what: 'approval' })).toBe(false);
    expect(waits(null)).toBe(false);
  });

  it('one is closed once only offline devices keep the next one from starting', () => {
    const held = { ...stage, counts: counts({ succeeded: 8, held: 2 }), waiting_for_offline: 2, started_at: 1 };
    const closes = (first: typeof held, given: Partial<RolloutView> = {}) =>
      canCloseStage(rolloutView({ stages: [first, stage], ...given }));
    expect(closes(held)).toBe(true);
    expect(closes(held, { state: 'paused' })).toBe(true);
    expect(closes(held, { state: 'stopped' })).toBe(false);
    expect(closes({ ...held, closed: true })).toBe(false);
    expect(closes({ ...held, waiting_for_offline: 0 })).toBe(false);
    expect(closes({ ...held, counts: counts({ pending: 1, held: 2 }) })).toBe(false);
    expect(closes(held, { stage: 1, stages: [stage, held] })).toBe(false);
  });
});

describe('the halt rule', () => {
  const halt = { above: { unit: 'percent' as const, percent: 2 }, after: 20, count_timeouts: true };

  it('counts timeouts by default', () => {
    const now = counts({ succeeded: 712, failed: 4, rejected: 4, timed_out: 2 });
    const gauge = haltGauge(rolloutView({ counts: now, spec: newRollout({ halt }) }));
    expect(gauge).toMatchObject({ limit: 2, ended: 722, before: 0 });
    expect(haltValue(gauge?.value ?? 0, ' %')).toBe('1.4 %');
    const without = { ...halt, count_timeouts: false };
    expect(haltGauge(rolloutView({ counts: now, spec: newRollout({ halt: without }) }))?.value).toBeCloseTo(1.108, 2);
  });

  it('starts counting again after a halt', () => {
    const now = counts({ succeeded: 700, failed: 22, cancelled: 9 });
    const gauge = haltGauge(
      rolloutView({ counts: now, spec: newRollout({ halt }), ended_before: 712, failed_before: 21 }),
    );
    expect(gauge).toMatchObject({ value: 10, ended: 10, before: 10 });
  });

  it('says how many must end before it can halt', () => {
    const few = counts({ succeeded: 4, failed: 1 });
    expect(haltGauge(rolloutView({ counts: few, spec: newRollout({ halt }) }))?.before).toBe(15);
    expect(haltGauge(rolloutView())).toBeNull();
  });

  it('may be a number of devices', () => {
    const members = { ...halt, above: { unit: 'members' as const, count: 3 } };
    const gauge = haltGauge(rolloutView({ counts: counts({ failed: 2 }), spec: newRollout({ halt: members }) }));
    expect([gauge?.value, gauge?.limit, haltValue(gauge?.value ?? 0, gauge?.unit ?? '')]).toEqual([2, 3, '2']);
  });
});

it('common traits are described in plain words, for one device and for several', () => {
  const trait = { kind: 'firmware' as const, value: '2.3.0', search: 'firmware:2.3.0' };
  const many = { ...trait, failed_with: 41, failed: 41, succeeded_with: 2, succeeded: 2_104 };
  expect(traitText(many)).toEqual(['41 of 41 failed devices run firmware 2.3.0', '2 of 2,104 that succeeded do']);
  const restart = { ...many, kind: 'restart' as const, value: 'in the last hour', failed_with: 38 };
  expect(traitText(restart)).toEqual([
    '38 of 41 failed devices restarted in the last hour',
    '2 of 2,104 that succeeded did',
  ]);
  const one = {
    ...trait,
    kind: 'tag' as const,
    value: 'kitchen',
    failed_with: 1,
    failed: 3,
    succeeded_with: 1,
    succeeded: 9,
  };
  expect(traitText(one)).toEqual(['1 of 3 failed devices has the tag kitchen', '1 of 9 that succeeded does']);
});

it.each([
  [{}, null],
  [{ failed: 1, timed_out: 1, succeeded: 9 }, /once 3 devices have failed/],
  [{ failed: 2, rejected: 1, expired: 4 }, /No device has succeeded/],
  [{ failed: 2, undeliverable: 1, succeeded: 1 }, /distinguishes the failed devices/],
])('of %o it says why no trait is named', (given, words) => {
  if (words === null) expect(nothingShared(counts(given))).toBeNull();
  else expect(nothingShared(counts(given))).toMatch(words);
});

it("a cause is the device's message, or what is known without it", () => {
  expect(causeText({ state: 'failed', message: 'flash\u0007' })).toBe('flash\\u0007');
  expect(causeText({ state: 'timed_out', message: 'No answer within 3 s.' })).toBe('no answer');
  expect(causeText({ state: 'rejected', message: '' })).toBe('no reason given');
});

it.each([
  [400, 'under a second'],
  [42_000, 'about 42 s'],
  [720_000, 'about 12 min'],
  [9_000_000, 'about 2.5 h'],
  [400_000_000, 'about 5 days'],
])('an expected duration of %i ms is %s', (ms, words) => {
  expect(expected(ms)).toBe(words);
});
