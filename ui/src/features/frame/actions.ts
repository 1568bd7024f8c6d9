/** The screens, and the actions of the window. */

import { getActions, type Action } from '../../state/actions.svelte';
import { getBackend } from '../../state/backend';
import { getConnections } from '../../state/connections.svelte';
import { getHistory } from '../../state/history.svelte';
import { getNotices } from '../../state/notices.svelte';
import { getPreferences } from '../../state/preferences.svelte';
import { getRoute, type Screen } from '../../state/route.svelte';
import { getUndo } from '../../state/undo.svelte';

export function screenActions(): () => Action[] {
  const connections = getConnections();
  const history = getHistory();
  const route = getRoute();
  return () => {
    const place = (screen: Screen, name: string, keys: string): Action => ({
      id: `go.${screen}`,
      group: 'Go to',
      name,
      words: 'go to show screen',
      keys,
      run: () => route.go(screen),
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
    if ((connections.current?.counts.needs_attention ?? 0) > 0)
      list.push({
        id: 'go.needy',
        group: 'Go to',
        name: 'Needs attention',
        keys: 'g n',
        run: () => history.showNeedsAttention(),
      });
    return list;
  };
}

export function windowActions(): () => Action[] {
  const actions = getActions();
  const backend = getBackend();
  const notices = getNotices();
  const preferences = getPreferences();
  const undo = getUndo();
  const show = (which: 'palette' | 'sheet') => {
    actions.paletteOpen = which === 'palette' && !actions.paletteOpen;
    actions.sheetOpen = which === 'sheet';
  };
  return () => {
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
      action('palette', 'Search or run a command', () => show('palette'), 'mod+k'),
      action('keys', 'Show all keys', () => show('sheet'), '?'),
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
    list.push(action('folder', 'Open the data folder', () => backend.openDataFolder()));
    if (undo.available) list.push(action('undo', 'Undo', () => undo.last(), 'mod+z'));
    if (notices.list.length > 0) {
      const dismiss = () => notices.list.forEach((notice) => notices.dismiss(notice.id));
      list.push(action('notices', 'Dismiss all notices', dismiss));
    }
    return list;
  };
}
