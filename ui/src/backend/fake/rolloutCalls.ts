/** Rollouts. */

import type { FileToWrite } from '../bindings/FileToWrite';
import type { MemberPage } from '../bindings/MemberPage';
import type { MemberQuery } from '../bindings/MemberQuery';
import type { NewRollout } from '../bindings/NewRollout';
import type { PlannedRequests } from '../bindings/PlannedRequests';
import type { ReportFormat } from '../bindings/ReportFormat';
import type { RolloutAction } from '../bindings/RolloutAction';
import type { RolloutDetail } from '../bindings/RolloutDetail';
import type { RolloutPlan } from '../bindings/RolloutPlan';
import type { RolloutView } from '../bindings/RolloutView';
import type { FakeEngine } from './engine';
import { confirmationOf, permit } from './protection';

export function rolloutCalls(engine: FakeEngine) {
  const connectionOf = (id: string) => engine.connections.list.find((one) => one.id === id);
  return {
    async planRollout(rollout: NewRollout): Promise<RolloutPlan> {
      const confirmation = confirmationOf(connectionOf(rollout.connection), true);
      const needs_approval = engine.rollouts.world.needsApproval(rollout.connection, rollout.command.name);
      return { ...engine.rollouts.plan(rollout), confirmation, needs_approval };
    },

    async plannedRequests(rollout: NewRollout, from: number, count: number): Promise<PlannedRequests> {
      return engine.rollouts.requests(rollout, from, count);
    },

    async startRollout(rollout: NewRollout): Promise<RolloutView> {
      permit(connectionOf(rollout.connection), true, rollout.confirmed);
      return engine.rollouts.start(rollout);
    },

    async rollouts(): Promise<RolloutView[]> {
      return engine.rollouts.list;
    },

    async rollout(id: string): Promise<RolloutDetail> {
      return engine.rollouts.detail(id);
    },

    async rolloutMembers(query: MemberQuery, from: number, count: number): Promise<MemberPage> {
      return engine.rollouts.members(query, from, count);
    },

    async actOnRollout(id: string, action: RolloutAction): Promise<RolloutView> {
      return engine.rollouts.act(id, action);
    },

    async noteRollout(id: string, note: string | null): Promise<RolloutView> {
      return engine.rollouts.note(id, note);
    },

    async exportRollout(query: MemberQuery, to: FileToWrite, format: ReportFormat): Promise<string> {
      // A report is of the whole rollout.
      engine.rollouts.members(format === 'csv' || format === 'json' ? query : { ...query, states: [] }, 0, 1);
      return engine.export.wrote(to);
    },
  };
}
