/** The current view, stored so that the window opens as it was closed. */

import { untrack } from 'svelte';

import type { View } from '../backend/backend';
import { line } from '../format/search';
import type { Connections } from './connections.svelte';
import type { Fleet } from './fleet.svelte';
import type { History } from './history.svelte';
import { EVERY_FILTER } from './historyFilters';
import type { Inspected } from './inspected.svelte';
import type { LowerPane } from './lowerPane.svelte';
import type { Preferences } from './preferences.svelte';
import type { Route } from './route.svelte';
import { Throttle } from './throttle';
import type { Views } from './views.svelte';

/** Short enough that little is lost, long enough not to disturb typing. */
const PAUSE = 500;

/** The state that a view is taken from. */
interface Viewed {
  connections: Connections;
  fleet: Fleet;
  history: History;
  inspected: Inspected;
  pane: LowerPane;
  preferences: Preferences;
  route: Route;
  views: Views;
}

/** Restores the stored view, as far as it still exists, and stores it from then on. */
export function keepView(viewed: Viewed): void {
  restore(viewed, viewed.preferences.view);
  $effect.root(() => {
    // As text, which changes only with the view: connections change every second.
    const looked = $derived(JSON.stringify(viewOf(viewed)));
    const save = new Throttle(PAUSE, () => {
      // A view that cannot be stored needs no notice.
      void viewed.preferences.change({ view: JSON.parse(looked) as View }).catch(() => undefined);
    });
    let first = true;
    $effect(() => {
      void looked;
      if (!first) untrack(() => save.ask());
      first = false;
    });
  });
}

function viewOf({ route, connections, fleet, inspected, history, pane, views }: Viewed): View {
  return {
    screen: route.screen,
    connection: connections.currentId,
    device: inspected.connection === connections.currentId ? inspected.device : null,
    search: line(fleet.search),
    sort: fleet.sort.sort,
    order: fleet.sort.order,
    group: fleet.group,
    columns: fleet.columns,
    savedView: views.opened,
    pane: pane.tab,
    wall: fleet.wall,
    tileColours: fleet.tileColours,
    series: fleet.series,
    tilePitch: fleet.tilePitch,
    filter: history.filter.name,
    ofDevice: history.device,
  };
}

function restore({ connections, fleet, inspected, history, pane, route, views }: Viewed, view: View | null): void {
  const connection = connections.current?.id;
  // Of another connection it would mean something else.
  if (view === null || connection === undefined || view.connection !== connection) return;
  fleet.open(connection);
  fleet.sort = { sort: view.sort, order: view.order };
  fleet.group = view.group;
  // Views of earlier versions have neither.
  fleet.columns = (view.columns as View['columns'] | undefined) ?? null;
  pane.tab = (view.pane as View['pane'] | undefined) ?? null;
  fleet.wall = view.wall;
  fleet.tileColours = view.tileColours;
  fleet.series = view.series;
  fleet.tilePitch = view.tilePitch;
  fleet.searchFor(view.search);
  views.open(connection);
  views.opened = (view.savedView as string | null | undefined) ?? null;
  if (view.device !== null) inspected.choose(connection, view.device);
  const filter = EVERY_FILTER.find(({ name }) => name === view.filter) ?? history.filter;
  history.restore(connection, filter, view.ofDevice);
  if (window.location.hash !== '') return;
  const { device, screen } = view;
  if (screen !== 'log' && screen !== 'charts') route.go(screen);
  else if (device !== null) route.go(screen, { device });
}
