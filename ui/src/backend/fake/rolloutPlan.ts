/** The plan of an invented rollout, before it starts. */

import type { NewRollout } from '../bindings/NewRollout';
import type { PlannedRequest } from '../bindings/PlannedRequest';
import type { RolloutPlan } from '../bindings/RolloutPlan';
import { failure } from './failure';
import type { FakeDevice } from './fleet';
import { fromJson, objectFrom, toJson } from '../../format/json';

/** Releases a second where no rate is given. */
export const RATE = 100;
const USUAL_MS = 620;
/** A request, its acknowledgements by broker and device, and the final answer. */
const MESSAGES = 3;

export interface Members {
  /** Those that are left when some are left out. */
  members: FakeDevice[];
  offline: FakeDevice[];
  already: FakeDevice[];
  busyElsewhere: FakeDevice[];
  busyHere: FakeDevice[];
}

export function membersOf(target: FakeDevice[], rollout: NewRollout): Members {
  const isBusy = ({ row }: FakeDevice) => row.last_command !== null && !row.last_command.final;
  const offline = target.filter(({ row }) => row.presence === 'offline');
  const already = target.filter((device) => isAlready(device, rollout));
  const busy = target.filter(isBusy);
  const busyElsewhere = busy.filter(({ row }) => row.last_command?.by !== 'you');
  const left = rollout.leave_out;
  const out = new Set([...(left.offline ? offline : []), ...(left.already ? already : []), ...(left.busy ? busy : [])]);
  return {
    members: target.filter((device) => !out.has(device)),
    offline,
    already,
    busyElsewhere,
    busyHere: busy.filter((device) => !busyElsewhere.includes(device)),
  };
}

export function stageSizes(members: number, rollout: NewRollout): number[] {
  const sizes: number[] = [];
  let before = 0;
  for (const size of rollout.stages) {
    const until = size.unit === 'devices' ? before + size.count : Math.ceil((members * size.percent) / 100);
    const own = Math.min(members, until) - before;
    if (own > 0) sizes.push(own);
    before += Math.max(0, own);
  }
  if (before < members || members === 0) sizes.push(members - before);
  return sizes;
}

/** The values to send to a device that differs from its desired configuration. */
export function argumentsOf({ desired }: FakeDevice): string {
  const changes = desired?.()?.differences.map(({ key, wanted }) => [key, fromJson(wanted)] as const) ?? [];
  return toJson({ changes: Object.fromEntries(changes), apply: 'now' });
}

export function planOf(target: FakeDevice[], rollout: NewRollout, dangerous: boolean): RolloutPlan {
  if (rollout.command.name.trim() === '') throw failure('invalid', 'No command is chosen.', 'Choose one first.');
  const found = membersOf(target, rollout);
  const { members } = found;
  const stages = stageSizes(members.length, rollout);
  const rate = rollout.rate ?? RATE;
  const pauses = rollout.between.then === 'pause' ? rollout.between.pause_ms * (stages.length - 1) : 0;
  const asks = rollout.between.then === 'ask' && stages.length > 1;
  const examples = (devices: FakeDevice[]) => devices.slice(0, 5).map(({ row }) => row.device);
  const silent = members.filter(({ row }) => row.presence === 'offline').length;
  return {
    members: members.length,
    fingerprint: fingerprintOf(members),
    stages,
    offline: found.offline.length,
    presence_unknown: target.filter(({ row }) => row.presence === 'unknown').length,
    already: found.already.length,
    busy_elsewhere: found.busyElsewhere.length,
    overlap: null,
    overlap_here: null,
    busy_here: found.busyHere.length,
    offline_examples: examples(found.offline),
    already_examples: examples(found.already),
    busy_examples: examples([...found.busyElsewhere, ...found.busyHere]),
    expected_ms: asks ? null : Math.round((members.length / rate) * 1_000 + USUAL_MS * stages.length + pauses),
    unknown_before: 0,
    unknown_before_examples: [],
    changed_since: 0,
    changed_since_examples: [],
    unreported: 0,
    unreported_examples: [],
    messages: members.length * MESSAGES - silent * 2,
    dangerous,
    needs_approval: false,
    confirmation: 'none',
    remarks:
      rate > RATE
        ? [`The broker takes ${RATE} messages a second from one client, so ${rate} a second cannot be reached.`]
        : [],
    samples: members.slice(0, 5).map((device) => requestFor(device, rollout)),
  };
}

/** Names the members. */
export function fingerprintOf(members: FakeDevice[]): string {
  return members.map(({ row }) => row.device).join(' ');
}

/** The request of a member as it would be published. */
export function requestFor(device: FakeDevice, rollout: NewRollout): PlannedRequest {
  const { row } = device;
  const { name: command, args } = rollout.command;
  const own = rollout.target.by === 'desired' ? argumentsOf(device) : args;
  const payload = toJson({ id: '{id}', command, args: objectFrom(own) });
  const request = { topic: `${row.device}/req`, qos: 1, bytes: payload.length, payload, binary: false, cut: null };
  return { device: row.device, request };
}

/** Its reported state already is the requested one. */
function isAlready({ row, running }: FakeDevice, { command }: NewRollout): boolean {
  const args = objectFrom(command.args);
  if (command.name === 'led') return row.led !== null && row.led === args['on'];
  if (command.name !== 'config.set' || running === null) return false;
  const changes = Object.entries((args['changes'] ?? {}) as object);
  return changes.length > 0 && changes.every(([key, value]) => running[key] === value);
}
