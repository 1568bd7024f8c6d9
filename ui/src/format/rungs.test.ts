import { describe, expect, it } from 'vitest';

import type { CommandView } from '../backend/bindings/CommandView';
import { climbed, command } from '../test/commands';
import { places, rungs, shares, spent, took } from './rungs';

const stands = (...expected: string[]) => expected;

describe('the step of a state on the ladder', () => {
  it.each([
    ['queued', command(), stands('here', 'awaited', 'open', 'open', 'open')],
    ['held', command({ state: 'held' }), stands('here', 'awaited', 'open', 'open', 'open')],
    ['sent', command({ state: 'sent', sent_at: 1 }), stands('past', 'here', 'awaited', 'open', 'open')],
    ['at the broker', climbed('at_broker'), stands('past', 'past', 'here', 'awaited', 'open')],
    ['accepted', climbed('accepted'), stands('past', 'past', 'past', 'here', 'awaited')],
    ['running', climbed('running'), stands('past', 'past', 'past', 'here', 'awaited')],
    ['succeeded', climbed('succeeded'), stands('past', 'past', 'past', 'past', 'here')],
    ['failed', climbed('failed'), stands('past', 'past', 'past', 'past', 'stop')],
    ['rejected', climbed('rejected'), stands('past', 'past', 'past', 'never', 'stop')],
    ['unconfirmed', climbed('unconfirmed'), stands('past', 'past', 'here', 'open', 'open')],
    ['never sent', command({ state: 'undeliverable' }), stands('past', 'stop', 'never', 'never', 'never')],
    ['refused by the broker', climbed('undeliverable'), stands('past', 'past', 'stop', 'never', 'never')],
    [
      'silent at the broker',
      climbed('timed_out', { accepted_at: null }),
      stands('past', 'past', 'past', 'stop', 'never'),
    ],
    ['silent after it was accepted', climbed('timed_out'), stands('past', 'past', 'past', 'past', 'stop')],
    ['expired', command({ state: 'expired' }), stands('here', 'never', 'never', 'never', 'never')],
    ['cancelled', command({ state: 'cancelled' }), stands('here', 'never', 'never', 'never', 'never')],
  ])('%s', (_name, given, expected) => expect(places(given)).toEqual(expected));
});

describe('the words of a ladder', () => {
  it('gives the time between the rungs', () => {
    const ladder = rungs(climbed('accepted'), 1_001_342);
    expect(ladder.map((rung) => rung.gap).slice(1)).toEqual(['+2 ms', '+9 ms', '+31 ms', '1.3 s …']);
    expect(ladder.map((rung) => rung.name)).toEqual(['Queued', 'Sent', 'At broker', 'Accepted', 'Succeeded']);
  });

  it('does not say that a command of another console was in the outbox', () => {
    const first = (by: CommandView['by']) => rungs(climbed('succeeded', { by }), 0)[0];
    expect(first('Wilco')).toMatchObject({ name: 'Queued', begun: 'written to the outbox' });
    expect(first('you')).toMatchObject({ name: 'Queued', begun: 'written to the outbox' });
    expect(first('another console')).toMatchObject({ name: 'Observed', begun: 'sent by another console' });
  });

  it('names the state in the place of its rung', () => {
    expect(rungs(climbed('running'), 0)[3]?.name).toBe('Running');
    expect(rungs(climbed('failed', { finished_at: 1_001_000 }), 0)[4]).toMatchObject({
      name: 'Failed',
      gap: '+958 ms',
    });
    expect(rungs(command({ state: 'held' }), 0)[0]?.name).toBe('Held');
  });

  it('leaves a gap out where an acknowledgement was overtaken by the answer', () => {
    const ladder = rungs(climbed('succeeded', { at_broker_at: null, finished_at: 1_000_100 }), 0);
    expect(ladder[2]).toMatchObject({ at: 'past', gap: '', time: null });
    expect(ladder[3]?.gap).toBe('+40 ms');
  });

  it('never counts backwards when a PUBACK comes after the answer', () => {
    const ladder = rungs(
      climbed('succeeded', { at_broker_at: 1_000_060, accepted_at: 1_000_050, finished_at: 1_000_070 }),
      0,
    );
    expect(ladder.map((rung) => rung.gap).slice(2)).toEqual(['+58 ms', '+0 ms', '+10 ms']);
  });
});

describe('where the time went', () => {
  const done = climbed('succeeded', { finished_at: 1_000_510 });

  it('is drawn to scale', () => {
    expect(shares(done)).toEqual([
      { state: 'queued', ms: 2 },
      { state: 'sent', ms: 9 },
      { state: 'at_broker', ms: 31 },
      { state: 'accepted', ms: 468 },
    ]);
    expect(spent(shares(done))).toBe('468 of 510 ms were spent in the device');
  });

  it('is not shown before the end', () => expect(shares(climbed('accepted'))).toEqual([]));

  it('names the wait of a silent device', () => {
    const silent = climbed('timed_out', { accepted_at: null, finished_at: 1_010_011 });
    expect(spent(shares(silent))).toBe('10.0 of 10.0 s were spent between the broker and the first answer');
  });
});

describe('how long a command took', () => {
  it('grows while it is under way', () => expect(took(climbed('accepted'), 1_001_300)).toBe('1.3 s'));
  it('shows progress instead, where there is any', () =>
    expect(took(climbed('running', { progress: 40 }), 0)).toBe('40 %'));
  it('is exact at the end', () => expect(took(climbed('succeeded', { finished_at: 1_000_412 }), 0)).toBe('412 ms'));
  it('is nothing for one that was withdrawn', () =>
    expect(took(command({ state: 'cancelled', finished_at: 2 }), 0)).toBe('–'));
});
