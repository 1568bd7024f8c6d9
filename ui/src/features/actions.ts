/** The actions of every feature, in the palette's order for groups that match equally well. */

import { getActions } from '../state/actions.svelte';
import { approvalActions } from './approvals/actions';
import { auditActions } from './audit/actions';
import { chartActions } from './charts/actions';
import { catalogueActions } from './commands/actions';
import { connectionActions } from './connections/actions';
import { deviceActions, fleetActions } from './fleet/actions';
import { selectionActions } from './fleet/selectionActions';
import { screenActions, windowActions } from './frame/actions';
import { historyActions } from './history/actions';
import { logActions } from './log/actions';
import { trafficActions } from './traffic/actions';

const FEATURES = [
  logActions,
  chartActions,
  selectionActions,
  deviceActions,
  screenActions,
  fleetActions,
  historyActions,
  trafficActions,
  auditActions,
  approvalActions,
  connectionActions,
  catalogueActions,
  windowActions,
];

export function offerActions(): void {
  const actions = getActions();
  for (const feature of FEATURES) actions.offer(feature());
}
