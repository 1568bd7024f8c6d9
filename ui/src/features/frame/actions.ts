/** The screens, and what can be done with the window itself. */

import type { Action } from '../../state/actions.svelte';
import type { App } from '../../state/app.svelte';
import type { Screen } from '../../state/route.svelte';

export function screenActions(app: App): Action[] {
  const place = (screen: Screen, name: string, keys: string): Action => ({
    id: `go.${screen}`,
    group: 'Go to',
    name,
    words: 'go to show screen',
    keys,
    run: () => app.route.go(screen),
  });
  const list = [
    place('fleet', 'Fleet', 'g f'),
    place('rollouts', 'Rollouts', 'g r'),
    place('history', 'History', 'g h'),
    place('traffic', 'Live traffic', 'g t'),
    place('connections', 'Connections', 'g c'),
    place('commands', 'Commands', 'g m'),
    place('settings', 'Settings', 'g s'),
  ];
  if ((app.connections.current?.counts.needs_attention ?? 0) > 0)
    list.push({
      id: 'go.needy',
      group: 'Go to',
      name: 'Needs attention',
      keys: 'g n',
      run: () => app.showNeedsAttention(),
    });
  return list;
}

export function windowActions(app: App): Action[] {
  const { preferences, notices } = app;
  const action = (id: string, name: string, run: () => unknown, keys?: string): Action => ({
    id: `window.${id}`,
    group: 'Window',
    name,
    ...(keys !== undefined && { keys }),
    run,
  });
  const sized = (id: string, name: string, run: () => unknown, keys: string): Action => ({
    ...action(id, name, run, keys),
    words: 'zoom size text magnify 100 %',
  });
  const list = [
    action('palette', 'Search or run a command', () => show(app, 'palette'), 'mod+k'),
    action('keys', 'Show all keys', () => show(app, 'sheet'), '?'),
    sized('larger', 'Zoom in', () => preferences.zoomBy(1), 'mod++'),
    sized('smaller', 'Zoom out', () => preferences.zoomBy(-1), 'mod+-'),
    sized('usual', 'Actual size', () => preferences.zoomTo(1), 'mod+0'),
  ];
  for (const theme of ['system', 'light', 'dark'] as const) {
    if (theme !== preferences.theme)
      list.push(action(`theme.${theme}`, `Theme: ${theme}`, () => preferences.change({ theme })));
  }
  const density = preferences.density === 'compact' ? 'comfortable' : 'compact';
  list.push(action('density', `Density: ${density}`, () => preferences.change({ density })));
  list.push(action('folder', 'Open the data folder', () => app.settings.openFolder()));
  if (app.undo.available) list.push(action('undo', 'Undo', () => app.undo.last(), 'mod+z'));
  if (notices.list.length > 0) {
    const dismiss = () => notices.list.forEach((notice) => notices.dismiss(notice.id));
    list.push(action('notices', 'Dismiss all notices', dismiss));
  }
  return list;
}

function show(app: App, which: 'palette' | 'sheet'): void {
  app.actions.paletteOpen = which === 'palette' && !app.actions.paletteOpen;
  app.actions.sheetOpen = which === 'sheet';
}
