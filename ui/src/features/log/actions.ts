/** The actions of the log, on its page and in the lower pane. */

import { visibleName } from '../../format/text';
import type { Action } from '../../state/actions.svelte';
import { getControls } from '../../state/controls';
import { getLowerPane, type LowerPane } from '../../state/lowerPane.svelte';
import { getLog, type DeviceLog } from './deviceLog.svelte';
import { logControls } from './controls';

export function logActions(): () => Action[] {
  const controls = getControls();
  const log = getLog();
  const pane = getLowerPane();
  return () => {
    const { connection, device } = log;
    if (!pane.isVisible('log') || connection === null || device === null) return [];
    const action = (id: string, name: string, keys: string, run: () => unknown, sends = false): Action => ({
      id: `log.${id}`,
      sends,
      group: 'Log',
      name,
      words: visibleName(device),
      keys,
      elsewhere: !pane.hasKeys('log'),
      run,
    });
    return [
      action('fetch', 'Fetch the log again', 'u', () => log.fetch(connection, device), true),
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

/** Fetches the log of the inspected device, and shows it. */
export async function fetchLog(log: DeviceLog, pane: LowerPane, connection: string, device: string): Promise<void> {
  await pane.show('log');
  await log.fetch(connection, device);
}
