/** The actions of the history. */

import type { Action } from '../../state/actions.svelte';
import type { App } from '../../state/app.svelte';
import { openControl } from '../../state/controls';
import { EVERY_FILTER } from '../../state/historyFilters';

export function historyActions(app: App): Action[] {
  const { history, route, connections } = app;
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
    action('export', 'Export the history…', () => openControl(app, 'history.export'), { keys: 'e', elsewhere: !here }),
    action('search', 'Search the history', () => openControl(app, 'history.search'), here ? { keys: '/' } : {}),
    action('device', 'Filter by a device', () => openControl(app, 'history.device')),
    ...filters.map((filter) =>
      action(`filter.${filter.name}`, `Show only: ${filter.name}`, () => history.filterBy(filter), { quiet: true }),
    ),
  ];
  const clearOld = () => {
    route.go('settings');
    return openControl(app, 'settings.clear');
  };
  list.push(action('forget', 'Clear old commands from the history…', clearOld, { words: 'retention delete forget' }));
  const name = history.byCause ? 'List commands one by one' : 'Group failed commands by cause';
  list.push(action('causes', name, () => history.groupByCause(!history.byCause)));
  if (history.isFiltered) list.push(action('clear', 'Clear the filters', () => history.clear()));
  if (history.hasNewer) list.push(action('newest', 'Show the newest', () => history.showNewest()));
  if (history.export.view !== null) list.push(action('stop', 'Stop the export', () => history.export.stop()));
  return list;
}
