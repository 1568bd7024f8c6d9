/** The actions of the log screen. */

import { visibleName } from '../../format/text';
import type { Action } from '../../state/actions.svelte';
import { getControls } from '../../state/controls';
import { getRoute, type Route } from '../../state/route.svelte';
import { getLog, type DeviceLog } from './deviceLog.svelte';
import { logControls } from './controls';

export function logActions(): () => Action[] {
  const controls = getControls();
  const log = getLog();
  const route = getRoute();
  return () => {
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
      action('fetch', 'Fetch the log again', 'u', () => fetchLog(log, route, connection, device), true),
      action(
        'follow',
        log.following ? 'Stop following the log' : 'Follow the log',
        'w',
        () => (log.following ? log.unfollow() : log.follow()),
        true,
      ),
      action('search', 'Search in the log', '/', () => controls.open(logControls.search)),
      action('save', 'Save the log…', 'e', () => controls.open(logControls.save)),
    ];
  };
}

export async function fetchLog(log: DeviceLog, route: Route, connection: string, device: string): Promise<void> {
  route.go('log', { device });
  await log.fetch(connection, device);
}
