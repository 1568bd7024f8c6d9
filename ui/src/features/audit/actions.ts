/** The actions of the audit and of evidence files. */

import type { Action } from '../../state/actions.svelte';
import { getRoute } from '../../state/route.svelte';

export function auditActions(): () => Action[] {
  const route = getRoute();
  return () => [
    {
      id: 'go.audit',
      group: 'Go to',
      name: 'Audit',
      words: 'who did what verify history',
      keys: 'g a',
      run: () => route.go('audit'),
    },
    {
      id: 'evidence.open',
      group: 'History',
      name: 'Open evidence file…',
      words: 'verify signature proof',
      run: () => route.go('evidence'),
    },
  ];
}
