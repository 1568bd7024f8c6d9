/** The actions of live traffic. */

import type { Action } from '../../state/actions.svelte';
import { getControls } from '../../state/controls';
import { getRoute } from '../../state/route.svelte';
import { getTraffic } from './liveTraffic.svelte';
import { trafficControls } from './controls';

export function trafficActions(): () => Action[] {
  const controls = getControls();
  const route = getRoute();
  const traffic = getTraffic();
  return () => {
    if (route.screen !== 'traffic') return [];
    const action = (id: string, name: string, run: () => unknown, more: Partial<Action> = {}): Action => ({
      id: `traffic.${id}`,
      group: 'Live traffic',
      name,
      words: 'wire messages',
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
    if (traffic.device !== '') {
      list.push(
        action('every', 'Show the traffic of every device', () => {
          traffic.device = '';
          route.go('traffic');
        }),
      );
    }
    return list;
  };
}
