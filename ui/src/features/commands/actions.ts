/** The actions of the command catalogue. */

import type { Action } from '../../state/actions.svelte';
import { getCatalogue } from '../../state/catalogue.svelte';
import { getControls } from '../../state/controls';
import { getRoute } from '../../state/route.svelte';
import { catalogueControls } from './controls';

export function catalogueActions(): () => Action[] {
  const catalogue = getCatalogue();
  const controls = getControls();
  const route = getRoute();
  return () => {
    const action = (id: 'export' | 'import' | 'describe', name: string): Action => ({
      id: `commands.${id}`,
      group: 'Commands',
      name,
      words: 'catalogue buttons firmware own',
      run: () => {
        route.go('commands');
        return controls.open(catalogueControls[id]);
      },
    });
    const list = [action('describe', 'Describe a command…'), action('import', 'Import commands…')];
    return catalogue.isEmpty ? list : [...list, action('export', 'Export commands…')];
  };
}
