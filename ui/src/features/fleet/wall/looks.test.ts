import { describe, expect, it } from 'vitest';

import { lookOfState, lookOfValue, LOOKS } from '../../../components/tile';
import type { DeviceList } from '../../../state/deviceList';
import type { CommandState } from '../../../backend/bindings/CommandState';
import { COMMAND_STATES } from '../../../backend/bindings/Constants';
import { failedIn, looksOf, spanOf } from './looks';

const code = (state: CommandState) => 1 + COMMAND_STATES.indexOf(state);
const list = (more: Partial<DeviceList>): DeviceList => ({
  revision: 1,
  ids: ['a', 'b', 'c', 'd'],
  groups: [],
  presence: [0, 1, 2, 1],
  states: [code('sent'), 0, 0, code('failed')],
  values: null,
  ...more,
});
const named = (looks: Uint8Array) => [...looks].map((look) => LOOKS[look]);

describe('a tile', () => {
  it('shows the last command, and where there was none whether the device is offline', () => {
    expect(named(looksOf(list({}), 'state', null))).toEqual(['sent', 'offline', 'idle', 'failed']);
  });

  it('shows presence', () => {
    expect(named(looksOf(list({}), 'presence', null))).toEqual(['online', 'offline', 'idle', 'offline']);
  });

  it('shows a measurement by its level between the lowest and the highest', () => {
    const values = [2, null, 10, 6];
    expect(spanOf(values)).toEqual({ low: 2, high: 10 });
    const looks = looksOf(list({ values }), 'state', spanOf(values));
    expect(named(looks)).toEqual(['level_0', 'idle', 'level_7', 'level_4']);
    expect(lookOfValue(99, 2, 10)).toBe('level_7');
    expect(lookOfValue(3, 3, 3)).toBe('level_4');
    expect(spanOf([null, null])).toBeNull();
  });

  it('is not led astray by one device that measures nonsense', () => {
    const values = Array.from({ length: 1_000 }, (_, i) => (i === 500 ? 1e9 : i % 10));
    expect(spanOf(values)).toEqual({ low: 0, high: 9 });
  });

  it('has a look for every state', () => {
    for (const state of COMMAND_STATES) expect(LOOKS).toContain(lookOfState(state, 'online'));
  });
});

describe('a heading', () => {
  it('counts what has failed in its group', () => {
    const states = [code('failed'), code('timed_out'), code('succeeded'), code('rejected'), 0];
    const groups = [
      { from: 0, count: 2 },
      { from: 2, count: 3 },
    ];
    expect(failedIn(states, groups)).toEqual([2, 1]);
  });
});
