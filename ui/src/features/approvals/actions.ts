/** What can be done with approvals of other installations. */

import type { Action } from '../../state/actions.svelte';
import type { App } from '../../state/app.svelte';

export function approvalActions(app: App): Action[] {
  return [
    {
      id: 'approval.review',
      group: 'Rollouts',
      name: 'Review approval request…',
      words: 'approve decline sign second colleague countersign',
      run: () => app.route.go('approval'),
    },
  ];
}
