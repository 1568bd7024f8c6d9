import { describe, expect, it } from 'vitest';

import type { DeviceRow } from '../backend/bindings/DeviceRow';
import { climbed } from '../test/commands';
import { alike, sharedText, traits } from './traits';

const failed = climbed('failed', { message: 'flash write error' });

function row(device: string, given: Partial<DeviceRow> = {}): DeviceRow {
  return {
    connection: 'demo',
    device,
    presence: 'online',
    presence_since: null,
    led: null,
    last_command: { ...failed, device },
    seen_at: null,
    firmware: '2.3.0',
    boot: null,
    name: null,
    added_tags: [],
    tags: ['kitchen'],
    trip_ms: null,
    model: null,
    dialect: null,
    can_switch: true,
    over_rate: null,
    disagrees: null,
    ...given,
  };
}

describe('traits of the failed devices', () => {
  it('counts only those that failed alike', () => {
    const other = row('b', { last_command: { ...failed, message: 'no memory' } });
    expect(alike([row('a'), other, row('c')], failed).map(({ device }) => device)).toEqual(['a', 'c']);
  });

  it('is what all of them have', () => {
    expect(traits([row('a'), row('b')]).map(({ token }) => token)).toEqual(['firmware:2.3.0', 'tag:kitchen']);
    expect(traits([row('a'), row('b', { firmware: '2.4.0', tags: ['roof'] })])).toEqual([]);
    expect(traits([row('a', { firmware: null }), row('b', { firmware: null })]).map(({ token }) => token)).toEqual([
      'tag:kitchen',
    ]);
  });

  it('is said with its number', () => {
    const [firmware = null] = traits([row('a')]);
    expect(sharedText(1, failed, firmware)).toBe('');
    expect(sharedText(2, failed, null)).toBe('One other device gave the same reason.');
    expect(sharedText(4, failed, firmware)).toBe(
      '3 others gave the same reason, and all 4 run firmware 2.3.0: check that before you send it again.',
    );
  });
});
