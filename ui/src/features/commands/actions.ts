/** The actions of the command catalogue. */

import type { Action } from '../../state/actions.svelte';
import type { App } from '../../state/app.svelte';
import { openControl } from '../../state/controls';

export function catalogueActions(app: App): Action[] {
  const { catalogue, route } = app;
  const action = (id: 'export' | 'import' | 'describe', name: string): Action => ({
    id: `commands.${id}`,
    group: 'Commands',
    name,
    words: 'catalogue buttons firmware own',
    run: () => {
      route.go('commands');
      return openControl(app, `commands.${id}`);
    },
  });
  const list = [action('describe', 'Describe a command…'), action('import', 'Import commands…')];
  return catalogue.isEmpty ? list : [...list, action('export', 'Export commands…')];
}
