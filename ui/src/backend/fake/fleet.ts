/** An invented fleet. */

import type { DeviceQuery } from '../bindings/DeviceQuery';
import type { DeviceRow } from '../bindings/DeviceRow';
import { random } from './random';

export interface FakeDevice {
  row: DeviceRow;
  reportedAt: number | null;
  running: Record<string, unknown> | null;
  saved: Record<string, unknown> | null;
  commandCount: number;
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
          tags: second === undefined ? [stem] : [stem, second],
          trip_ms: online ? 18 + Math.floor(next() ** 4 * 100) + next() : null,
        },
        reportedAt: reported ? now - Math.floor(next() * 60_000) : null,
        running: reported ? running : null,
        saved: reported ? { ...running, buzzer: next() > 0.92 ? !running.buzzer : running.buzzer } : null,
        commandCount: 0,
      });
    }
  }
  return fleet;
}

/** The rows that a query asks for, in its order. */
export function select(fleet: FakeDevice[], query: DeviceQuery): DeviceRow[] {
  const words = query.search.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = fleet.map((device) => device.row).filter((row) => words.every((word) => matches(row, word)));
  const sign = query.order === 'descending' ? -1 : 1;
  const keyed = rows.map((row) => ({ row, key: keyOf(row, query) }));
  keyed.sort((a, b) => sign * compare(a.key, b.key) || compare(a.row.device, b.row.device));
  return keyed.map(({ row }) => row);
}

function matches(row: DeviceRow, word: string): boolean {
  const [key, value = ''] = word.split(':', 2);
  if (!word.includes(':')) return row.device.includes(word);
  switch (key) {
    case 'is':
      return row.presence === value;
    case 'led':
      return row.led === (value === 'on');
    case 'tag':
      return row.tags.some((tag) => tag.startsWith(value));
    case 'state':
      return row.last_command?.state === value;
    case 'firmware':
      return version(row.firmware ?? '0', value);
    default:
      return row.device.includes(word);
  }
}

function version(have: string, want: string): boolean {
  const number = want.replace(/^[<>=]+/, '');
  const difference = have.localeCompare(number, 'en', { numeric: true });
  if (want.startsWith('<')) return difference < 0;
  if (want.startsWith('>=')) return difference >= 0;
  if (want.startsWith('>')) return difference > 0;
  return have.startsWith(number);
}

type Key = string | number;

function keyOf(row: DeviceRow, query: DeviceQuery): Key {
  switch (query.sort) {
    case 'device':
      return row.device;
    case 'presence':
      return ['online', 'unknown', 'offline'].indexOf(row.presence);
    case 'led':
      return row.led === null ? 2 : row.led ? 0 : 1;
    case 'last_command':
      return row.last_command?.queued_at ?? 0;
    case 'state':
      return row.last_command?.state ?? '';
    case 'seen':
      return row.seen_at ?? 0;
    case 'firmware':
      return row.firmware ?? '';
    case 'trip':
      return row.trip_ms ?? Number.MAX_SAFE_INTEGER;
  }
}

function compare(a: Key, b: Key): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return a < b ? -1 : a > b ? 1 : 0;
}
