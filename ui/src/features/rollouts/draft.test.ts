import { describe, expect, it } from 'vitest';

import { blankDraft, errorsOf, deliveryOf, minuteOf, readStages, settingsOf } from './draft';

describe('sizes of stages', () => {
  it('are numbers of devices and percentages of all', () => {
    expect(readStages('10, 10%, 100 %')).toEqual([
      { unit: 'devices', count: 10 },
      { unit: 'percent', percent: 10 },
      { unit: 'percent', percent: 100 },
    ]);
    expect(readStages('2.5 %')).toEqual([{ unit: 'percent', percent: 2.5 }]);
  });

  it.each([
    ['', 'Enter sizes'],
    ['ten', '“ten” is not a number of devices or a percentage'],
    ['0', '“0” is not a number of devices'],
    ['1.5', '“1.5” is not a number of devices'],
    ['20 %, 10 %', 'each must be greater than the one before'],
    ['101 %', 'at most 100 %'],
    ['10,,20', '“” is not a number of devices or a percentage'],
  ])('of %s cannot be read', (typed, why) => {
    expect(readStages(typed)).toContain(why);
  });
});

describe('a draft', () => {
  it('says nothing where nothing is filled in, and is one stage without a rule', () => {
    const draft = blankDraft();
    expect(errorsOf(draft)).toEqual({});
    expect(settingsOf(draft, 'demo')).toEqual({
      confirmed: 'no',
      connection: 'demo',
      name: null,
      note: null,
      stages: [],
      between: { then: 'continue' },
      rate: null,
      in_flight: null,
      halt: null,
      gate: null,
      hours: null,
      leave_out: { offline: false, already: false, busy: false },
    });
    expect(deliveryOf(draft)).toEqual({ timeout_ms: null, ttl_ms: null, retries: null, delivery: null });
  });

  it('refuses a measurement whose name begins or ends with a space', () => {
    const gated = (series: string) => errorsOf({ ...blankDraft(), gated: true, series, min: '2' }).series;
    expect(gated('cold room')).toBeUndefined();
    expect(gated('temperature ')).toBe('The name begins or ends with a space. Remove the space.');
    expect(gated(' ')).toContain('Enter the name');
  });

  it('becomes what was filled in, in the units of the wire', () => {
    const draft = {
      ...blankDraft(),
      stages: 'canary' as const,
      between: 'pause' as const,
      pause: '2.5',
      rate: '50',
      inFlight: '20',
      halts: true,
      haltAbove: '2.5',
      gated: true,
      series: 'temperature',
      min: '2',
      max: '8',
      inHours: true,
      from: '22:00',
      until: '6:30',
      zone: 'Europe/Amsterdam',
      timeout: '1.5',
      ttl: '60',
      retries: '0',
      name: ' Lights ',
      note: ' by hand\n',
    };
    expect(errorsOf(draft)).toEqual({});
    expect(settingsOf(draft, 'demo')).toMatchObject({
      name: ' Lights ',
      note: ' by hand\n',
      between: { then: 'pause', pause_ms: 150_000 },
      rate: 50,
      in_flight: 20,
      halt: { above: { unit: 'percent', percent: 2.5 }, after: 20, count_timeouts: true },
      gate: { series: 'temperature', min: 2, max: 8, for_ms: 600_000 },
      hours: { from_minute: 1_320, until_minute: 390, time_zone: 'Europe/Amsterdam' },
    });
    expect(settingsOf(draft, 'demo').stages).toHaveLength(3);
    expect(deliveryOf(draft)).toEqual({ timeout_ms: 1_500, ttl_ms: 60_000, retries: 0, delivery: null });
  });

  it('says what is wrong, by field', () => {
    const draft = {
      ...blankDraft(),
      stages: 'own' as const,
      own: 'x',
      between: 'pause' as const,
      pause: '0',
      rate: '-1',
      inFlight: '1.5',
      halts: true,
      haltAbove: '101',
      haltAfter: '0',
      gated: true,
      min: '9',
      max: '8',
      inHours: true,
      from: '25:00',
      until: 'x',
      zone: 'Mars/Olympus',
      ttl: '0',
      timeout: 'soon',
      retries: '-1',
    };
    expect(Object.keys(errorsOf(draft)).sort()).toEqual(
      [
        'own',
        'pause',
        'rate',
        'inFlight',
        'haltAbove',
        'haltAfter',
        'series',
        'max',
        'from',
        'until',
        'zone',
        'ttl',
        'timeout',
        'retries',
      ].sort(),
    );
    expect(errorsOf({ ...blankDraft(), gated: true, series: 'x' })).toHaveProperty('min');
  });
});

it('a minute of the day is read from hours and minutes', () => {
  expect([minuteOf('00:00'), minuteOf('23:59'), minuteOf('7:05'), minuteOf('24:00'), minuteOf('7')]).toEqual([
    0,
    1_439,
    425,
    null,
    null,
  ]);
});
