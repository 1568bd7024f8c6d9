/** The actions of the charts, on their page and in the lower pane. */

import type { Action } from '../../state/actions.svelte';
import { getLowerPane } from '../../state/lowerPane.svelte';
import { getChartMeasurements, RANGES } from '../../state/telemetry.svelte';

export function chartActions(): () => Action[] {
  const charts = getChartMeasurements();
  const pane = getLowerPane();
  return () => {
    if (!pane.isVisible('charts') || charts.device === null) return [];
    const action = (id: string, name: string, run: () => unknown, keys?: string): Action => ({
      id: `charts.${id}`,
      group: 'Charts',
      name,
      words: 'telemetry time',
      ...(keys !== undefined && { keys }),
      elsewhere: !pane.hasKeys('charts'),
      run,
    });
    const list = [
      action(
        'pause',
        charts.live ? 'Pause the charts' : 'Resume the charts',
        () => (charts.live ? charts.pause() : charts.resume()),
        'p',
      ),
      ...RANGES.filter(({ value }) => value !== charts.range).map(({ value, name }) =>
        action(`range.${value}`, `Show ${name === 'All' ? 'all measurements' : `the last ${name}`}`, () =>
          charts.show(value),
        ),
      ),
    ];
    return charts.zoom === null ? list : [...list, action('reset', 'Reset the zoom', () => charts.reset())];
  };
}
