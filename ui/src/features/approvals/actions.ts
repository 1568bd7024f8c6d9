/** The actions of approvals by other installations. */

import type { Action } from '../../state/actions.svelte';
import { getRoute } from '../../state/route.svelte';

export function approvalActions(): () => Action[] {
  const route = getRoute();
  return () => [
    {
      id: 'approval.review',
      group: 'Rollouts',
      name: 'Review approval request…',
      words: 'approve decline sign second colleague countersign',
      run: () => route.go('approval'),
    },
  ];
}
