/** A rollout as it begins: its stages and its members, none of them released. */

import type { MemberView } from '../bindings/MemberView';
import type { NewRollout } from '../bindings/NewRollout';
import type { RolloutView } from '../bindings/RolloutView';
import { toJson } from '../../format/json';
import type { FakeDevice } from './fleet';
import { countMembers } from './rolloutDetail';
import { argumentsOf, stageSizes } from './rolloutPlan';

export function rolloutOf(
  spec: NewRollout,
  devices: FakeDevice[],
  id: string,
  number: number,
): { view: RolloutView; members: MemberView[] } {
  const sizes = stageSizes(devices.length, spec);
  const stageOf = sizes.flatMap((size, stage) => new Array<number>(size).fill(stage));
  const members = devices.map((device, i): MemberView => ({
    device: device.row.device,
    stage: stageOf[i] ?? 0,
    state: 'pending',
    command: null,
    message: null,
    attempts: 0,
    released_at: null,
    finished_at: null,
    took_ms: null,
    firmware: device.row.firmware,
    args: spec.target.by === 'desired' ? argumentsOf(device) : null,
    earlier: spec.command.name === 'config.set' && device.running !== null ? toJson(device.running) : null,
    disagrees: null,
  }));
  const now = Date.now();
  const target = spec.target.by === 'devices' ? { by: 'devices' as const, devices: [] } : spec.target;
  const view: RolloutView = {
    id,
    number,
    spec: { ...spec, target },
    state: 'running',
    waits_for: null,
    why: null,
    approval: null,
    stages: sizes.map((size, stage) => ({
      members: size,
      counts: countMembers(members.filter((member) => member.stage === stage)),
      waiting_for_offline: 0,
      started_at: stage === 0 ? now : null,
      ended_at: null,
      closed: false,
    })),
    stage: 0,
    counts: countMembers(members),
    members: members.length,
    ended_before: 0,
    failed_before: 0,
    started_at: now,
    changed_at: now,
    ended_at: null,
  };
  return { view, members };
}
