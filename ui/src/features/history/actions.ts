/** The actions of the history. */

import type { Action } from '../../state/actions.svelte';
import { getConnections } from '../../state/connections.svelte';
import { getControls } from '../../state/controls';
import { getHistory } from '../../state/history.svelte';
import { EVERY_FILTER } from '../../state/historyFilters';
import { getRoute } from '../../state/route.svelte';
import { historyControls } from './controls';
import { settingsControls } from '../settings/controls';

export function historyActions(): () => Action[] {
  const connections = getConnections();
  const controls = getControls();
  const history = getHistory();
  const route = getRoute();
  return () => {
    if (connections.current === null) return [];
    const here = route.screen === 'history';
    const action = (id: string, name: string, run: () => unknown, more: Partial<Action> = {}): Action => ({
      id: `history.${id}`,
      group: 'History',
      name,
      words: 'commands filter',
      run: () => {
        route.go('history');
        return run();
      },
      ...more,
    });
    const filters = EVERY_FILTER.filter((filter) => filter.name !== history.filter.name);
    const list = [
      action('export', 'Export the history…', () => controls.open(historyControls.export), {
        keys: 'e',
        elsewhere: !here,
      }),
      action('search', 'Search the history', () => controls.open(historyControls.search), here ? { keys: '/' } : {}),
      action('device', 'Filter by a device', () => controls.open(historyControls.device)),
      ...filters.map((filter) =>
        action(`filter.${filter.name}`, `Show only: ${filter.name}`, () => history.filterBy(filter), { quiet: true }),
      ),
    ];
    const clearOld = () => {
      route.go('settings');
      return controls.open(settingsControls.clearHistory);
    };
    list.push(action('forget', 'Clear old commands from the history…', clearOld, { words: 'retention delete forget' }));
    const name = history.byCause ? 'List commands one by one' : 'Group failed commands by cause';
    list.push(action('causes', name, () => history.groupByCause(!history.byCause)));
    if (history.isFiltered) list.push(action('clear', 'Clear the filters', () => history.clear()));
    if (history.hasNewer) list.push(action('newest', 'Show the newest', () => history.showNewest()));
    if (history.export.view !== null) list.push(action('stop', 'Stop the export', () => history.export.stop()));
    return list;
  };
}
