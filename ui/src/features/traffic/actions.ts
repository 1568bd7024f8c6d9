/** The actions of live traffic: of the whole connection on its page, of one device in the lower pane. */

import type { Action } from '../../state/actions.svelte';
import { getControls } from '../../state/controls';
import { getLowerPane } from '../../state/lowerPane.svelte';
import { getRoute } from '../../state/route.svelte';
import { trafficControls } from './controls';
import { getDeviceTraffic, getTraffic } from './liveTraffic.svelte';

export function trafficActions(): () => Action[] {
  const controls = getControls();
  const ofConnection = getTraffic();
  const ofDevice = getDeviceTraffic();
  const pane = getLowerPane();
  const route = getRoute();
  return () => {
    if (!pane.isVisible('traffic')) return [];
    const onPage = route.screen === 'traffic';
    const traffic = onPage ? ofConnection : ofDevice;
    const action = (id: string, name: string, run: () => unknown, more: Partial<Action> = {}): Action => ({
      id: `traffic.${id}`,
      group: 'Live traffic',
      name,
      words: 'wire messages',
      elsewhere: !pane.hasKeys('traffic'),
      run,
      ...more,
    });
    const list = [
      action('pause', traffic.paused ? 'Resume the traffic' : 'Pause the traffic', () => traffic.toggle(), {
        keys: 'p',
      }),
      action('clear', 'Clear the traffic', () => traffic.clear()),
      action('search', 'Search in the traffic', () => controls.open(trafficControls.search), { keys: '/' }),
    ];
    if (onPage && traffic.device !== '') {
      list.push(
        action('every', 'Show the traffic of all devices', () => {
          traffic.device = '';
          route.go('traffic');
        }),
      );
    }
    return list;
  };
}
