/** The actions of the audit and of evidence files. */

import type { Action } from '../../state/actions.svelte';
import type { App } from '../../state/app.svelte';

export function auditActions(app: App): Action[] {
  return [
    {
      id: 'go.audit',
      group: 'Go to',
      name: 'Audit',
      words: 'who did what verify history',
      keys: 'g a',
      run: () => app.route.go('audit'),
    },
    {
      id: 'evidence.open',
      group: 'History',
      name: 'Open evidence file…',
      words: 'verify signature proof',
      run: () => app.route.go('evidence'),
    },
  ];
}
