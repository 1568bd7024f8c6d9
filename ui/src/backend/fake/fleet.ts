/** An invented fleet. */

import type { DescribedDevice } from '../bindings/DescribedDevice';
import type { DeviceDesired } from '../bindings/DeviceDesired';
import type { DeviceRow } from '../bindings/DeviceRow';
import { random } from './random';

export interface FakeDevice {
  row: DeviceRow;
  described: DescribedDevice | null;
  reportedAt: number | null;
  running: Record<string, unknown> | null;
  saved: Record<string, unknown> | null;
  commandCount: number;
  note: string | null;
  /** Whether it has its desired configuration; null without one. */
  desired?: () => DeviceDesired | null;
}

const GROUPS: [stem: string, share: number, second: string[]][] = [
  ['kitchen', 0.24, ['line-1', 'line-2']],
  ['cold-store', 0.18, []],
  ['hvac', 0.16, ['roof-a', 'roof-b']],
  ['dock', 0.12, ['west']],
  ['greenhouse', 0.1, []],
  ['lobby', 0.1, []],
  ['roof', 0.08, []],
  ['bench', 0.02, []],
];
const FIRMWARE = ['2.3.1', '2.3.1', '2.3.1', '2.3.0', '2.2.4', '2.1.0', '2.4.0'];

export function makeFleet(connection: string, count: number, now: number): FakeDevice[] {
  const next = random(count);
  const fleet: FakeDevice[] = [];
  for (const [stem, share, seconds] of GROUPS) {
    const last = stem === 'bench';
    const members = last ? count - fleet.length : Math.round(count * share);
    for (let i = 1; i <= members && fleet.length < count; i++) {
      const online = next() > 0.03;
      const second = seconds[Math.floor(next() * seconds.length)];
      const reported = next() > 0.01;
      const running = {
        report_interval_s: next() > 0.9 ? 60 : 30,
        temp_high_c: 8.5 - Math.floor(next() * 3) / 2,
        buzzer: next() > 0.3,
        ntp_host: 'pool.ntp.org',
      };
      fleet.push({
        row: {
          connection,
          device: `${stem}-${String(i).padStart(4, '0')}`,
          presence: online ? 'online' : next() > 0.1 ? 'offline' : 'unknown',
          presence_since: now - Math.floor(next() ** 3 * 6 * 86_400_000),
          led: online ? next() > 0.6 : null,
          last_command: null,
          seen_at: online ? now - Math.floor(next() * 9_000) : now - Math.floor(next() * 9_000_000),
          firmware: FIRMWARE[Math.floor(next() * FIRMWARE.length)] ?? null,
          boot: Math.floor(next() * 0xffffff)
            .toString(16)
            .padStart(6, '0'),
          name: null,
          tags: second === undefined ? [stem] : [stem, second],
          added_tags: [],
          trip_ms: online ? 18 + Math.floor(next() ** 4 * 100) + next() : null,
          model: null,
          dialect: null,
          can_switch: true,
          over_rate: null,
          disagrees: null,
        },
        described: null,
        reportedAt: reported ? now - Math.floor(next() * 60_000) : null,
        running: reported ? running : null,
        saved: reported ? { ...running, buzzer: next() > 0.92 ? !running.buzzer : running.buzzer } : null,
        commandCount: 0,
        note: null,
      });
    }
  }
  return fleet;
}

/** A device that was added by hand and has sent nothing yet. */
export function addedDevice(connection: string, device: string): FakeDevice {
  return {
    row: {
      connection,
      device,
      presence: 'unknown',
      presence_since: null,
      led: null,
      last_command: null,
      seen_at: null,
      firmware: null,
      boot: null,
      name: null,
      tags: [],
      added_tags: [],
      trip_ms: null,
      model: null,
      dialect: null,
      can_switch: true,
      over_rate: null,
      disagrees: null,
    },
    described: null,
    reportedAt: null,
    running: null,
    saved: null,
    commandCount: 0,
    note: null,
  };
}

/** The tags that a device reports, then those that were set here. */
export function tagsOf({ tags, added_tags: added }: Pick<DeviceRow, 'tags' | 'added_tags'>): string[] {
  return [...tags, ...added.filter((tag) => !tags.includes(tag))];
}
