/** The invented fleet as a list: sorted, grouped, with columns, and compared. */

import type { CommandState } from '../bindings/CommandState';
import { COMMAND_STATES } from '../bindings/Constants';
import type { Counted } from '../bindings/Counted';
import type { DeviceColumns } from '../bindings/DeviceColumns';
import type { DeviceGroup } from '../bindings/DeviceGroup';
import type { DeviceQuery } from '../bindings/DeviceQuery';
import type { DeviceRow } from '../bindings/DeviceRow';
import type { DeviceSummary } from '../bindings/DeviceSummary';
import type { GroupBy } from '../bindings/GroupBy';
import type { MemberState } from '../bindings/MemberState';
import { PRESENCES } from '../../format/states';
import { tagsOf, type FakeDevice } from './fleet';
import { cellsOf } from './views';
import { countsOfFleet, searched } from './search';

/** What went wrong first, then what is under way, then what is done. */
const TROUBLE: CommandState[] = [
  ...(['failed', 'rejected', 'undeliverable', 'timed_out', 'expired', 'cancelled', 'held', 'queued', 'sent'] as const),
  ...(['at_broker', 'accepted', 'running', 'unconfirmed', 'succeeded'] as const),
];

/** The rows that match a query, in its order. */
export function select(fleet: FakeDevice[], query: DeviceQuery): DeviceRow[] {
  const fits = searched(query.search);
  const sign = query.order === 'descending' ? -1 : 1;
  const keyed = fleet.filter(fits).map((device) => ({
    row: device.row,
    group: query.group === null ? '' : groupRank(device.row, query.group),
    key: keyOf(device, query),
  }));
  keyed.sort(
    (a, b) =>
      compare(a.group, b.group) ||
      Number(a.key === null) - Number(b.key === null) ||
      sign * compare(a.key ?? 0, b.key ?? 0) ||
      compare(a.row.device, b.row.device),
  );
  return keyed.map(({ row }) => row);
}

/** A revision for each list that was not seen before. */
export class FakeColumns {
  #last: { key: string; revision: number } = { key: '', revision: 0 };

  of(fleet: FakeDevice[], query: DeviceQuery, known: number | null, series: string | null): DeviceColumns {
    const rows = select(fleet, query);
    const devices = rows.map(({ device }) => device);
    const key = JSON.stringify([query, devices]);
    if (key !== this.#last.key) this.#last = { key, revision: this.#last.revision + 1 };
    const { revision } = this.#last;
    return {
      revision,
      devices: known === revision ? null : devices,
      groups: query.group === null ? [] : groupsOf(rows, query.group),
      presence: rows.map(({ presence }) => PRESENCES.indexOf(presence)),
      states: rows.map((row) => stateCode(row)),
      values: series === null ? null : rows.map((row, i) => (row.led === null ? null : 4 + ((i * 7919) % 97) / 12)),
      total: fleet.length,
      counts: countsOfFleet(fleet.map(({ row }) => row)),
    };
  }
}

export function stateCode(row: DeviceRow): number {
  return row.last_command === null ? 0 : 1 + COMMAND_STATES.indexOf(row.last_command.state);
}

function groupRank(row: DeviceRow, by: GroupBy): string | number {
  if (by === 'tag') return tagsOf(row)[0] ?? '\uffff';
  if (by === 'firmware') return row.firmware ?? '\uffff';
  if (by === 'state') return row.last_command === null ? TROUBLE.length : TROUBLE.indexOf(row.last_command.state);
  return ['online', 'unknown', 'offline'].indexOf(row.presence);
}

function groupsOf(rows: DeviceRow[], by: GroupBy): DeviceGroup[] {
  const groups: DeviceGroup[] = [];
  let last: string | number | null = null;
  rows.forEach((row, from) => {
    const rank = groupRank(row, by);
    if (rank !== last) groups.push({ ...groupOf(row, by), from, count: 0, elsewhere: 0 });
    last = rank;
    const group = groups.at(-1);
    if (group) group.count += 1;
  });
  for (const group of groups) {
    const { key } = group;
    if (key.by !== 'tag' || key.tag === null) continue;
    const { tag } = key;
    group.elsewhere = rows.filter((row) => tagsOf(row).includes(tag)).length - group.count;
  }
  return groups;
}

function groupOf(row: DeviceRow, by: GroupBy): Pick<DeviceGroup, 'key' | 'search'> {
  const search = (field: string, value: string | null) => (value === null ? `-${field}:*` : `${field}:${value}`);
  switch (by) {
    case 'tag':
      return { key: { by, tag: tagsOf(row)[0] ?? null }, search: search('tag', tagsOf(row)[0] ?? null) };
    case 'firmware':
      return { key: { by, version: row.firmware }, search: search('firmware', row.firmware) };
    case 'state': {
      const state = (row.last_command?.state ?? null) as MemberState | null;
      return { key: { by, state: state ?? 'pending' }, search: search('state', state) };
    }
    case 'presence':
      return { key: { by, presence: row.presence }, search: `is:${row.presence}` };
  }
}

export function summaryOf(devices: FakeDevice[]): DeviceSummary {
  const rows = devices.map(({ row }) => row);
  const { online, offline, unknown, states, firmware, tags } = countsOfFleet(rows);
  const keys = [...new Set(devices.flatMap(({ running }) => Object.keys(running ?? {})))];
  const configuration = keys.map((key) => {
    const counts = new Map<string, number>();
    for (const { running } of devices) {
      if (running?.[key] === undefined) continue;
      const value = String(running[key]);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    const all = [...counts].sort((a, b) => b[1] - a[1]);
    const values = all.map(([value, count]): Counted => ({ value, search: `config.${key}:${value}`, count }));
    const reporting = values.reduce((sum, { count }) => sum + count, 0);
    return { key, devices: reporting, values: values.slice(0, 5), different: values.length };
  });
  const led = (on: boolean) => rows.filter((row) => row.led === on).length;
  return {
    devices: rows.length,
    online,
    offline,
    unknown,
    led_on: led(true),
    led_off: led(false),
    states,
    firmware: firmware.slice(0, 10),
    tags: tags.slice(0, 20),
    added_tags: countsOfFleet(rows.map((row) => ({ ...row, tags: [] }))).tags.slice(0, 20),
    configuration,
  };
}

type Key = string | number;

/** Nothing where the device has no value. */
function keyOf(device: FakeDevice, query: DeviceQuery): Key | null {
  const { row, running } = device;
  const { sort } = query;
  if (typeof sort === 'object') {
    if ('config' in sort) {
      const value = running?.[sort.config];
      return value === undefined ? null : typeof value === 'number' ? value : String(value);
    }
    const [cells] = cellsOf([device], [{ column: 'telemetry', series: sort.telemetry }]);
    return cells?.measured[0]?.at(-1) ?? null;
  }
  switch (sort) {
    case 'device':
      return row.device;
    case 'name':
      return row.name?.toLowerCase() ?? null;
    case 'presence':
      return ['online', 'unknown', 'offline'].indexOf(row.presence);
    case 'led':
      return row.led === null ? null : row.led ? 0 : 1;
    case 'last_command':
      return row.last_command?.queued_at ?? null;
    case 'state':
      return row.last_command === null ? null : TROUBLE.indexOf(row.last_command.state);
    case 'took': {
      const last = row.last_command;
      return last === null || last.finished_at === null || last.state === 'cancelled'
        ? null
        : last.finished_at - last.queued_at;
    }
    case 'seen':
      return row.seen_at;
    case 'firmware':
      return row.firmware;
    case 'tags':
      return [...row.tags, ...row.added_tags].join('\u0000') || null;
    case 'trip':
      return row.trip_ms;
    case 'desired': {
      const state = device.desired?.()?.state;
      return state === undefined ? null : ['differs', 'unknown', 'as_wanted'].indexOf(state);
    }
  }
}

function compare(a: Key, b: Key): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return a < b ? -1 : a > b ? 1 : 0;
}
