/** The actions of the log screen. */

import { visibleName } from '../../format/text';
import type { Action } from '../../state/actions.svelte';
import type { App } from '../../state/app.svelte';
import { openControl } from '../../state/controls';

export function logActions(app: App): Action[] {
  const { log, route } = app;
  const { connection, device } = log;
  if (route.screen !== 'log' || connection === null || device === null) return [];
  const action = (id: string, name: string, keys: string, run: () => unknown, sends = false): Action => ({
    id: `log.${id}`,
    sends,
    group: 'Log',
    name,
    words: visibleName(device),
    keys,
    run,
  });
  return [
    action('fetch', 'Fetch the log again', 'u', () => fetchLog(app, connection, device), true),
    action(
      'follow',
      log.following ? 'Stop following the log' : 'Follow the log',
      'w',
      () => (log.following ? log.unfollow() : log.follow()),
      true,
    ),
    action('search', 'Search in the log', '/', () => openControl(app, 'log.search')),
    action('save', 'Save the log…', 'e', () => openControl(app, 'log.save')),
  ];
}

export async function fetchLog(app: App, connection: string, device: string): Promise<void> {
  app.route.go('log', { device });
  await app.log.fetch(connection, device);
}
