/** The actions of the fleet and of the inspected device. */

import type { GroupBy } from '../../backend/bindings/GroupBy';
import { GROUPINGS } from '../../format/group';
import { visibleName } from '../../format/text';
import { NOTHING } from '../../format/search';
import type { Action } from '../../state/actions.svelte';
import { getCatalogue } from '../../state/catalogue.svelte';
import { getComposer } from '../../state/commandComposer.svelte';
import { getConnections } from '../../state/connections.svelte';
import { getControls } from '../../state/controls';
import { getFleet } from '../../state/fleet.svelte';
import { getInspected } from '../../state/inspected.svelte';
import { getLowerPane } from '../../state/lowerPane.svelte';
import { getRoute } from '../../state/route.svelte';
import { getSelection } from '../../state/selection.svelte';
import { fetchLog } from '../log/actions';
import { getLog } from '../log/deviceLog.svelte';
import { deviceControls, fleetControls } from './controls';

export function deviceActions(): () => Action[] {
  const catalogue = getCatalogue();
  const composer = getComposer();
  const controls = getControls();
  const inspected = getInspected();
  const log = getLog();
  const pane = getLowerPane();
  const route = getRoute();
  const selection = getSelection();
  return () => {
    const { device, detail, targets } = inspected;
    // Several are meant, and it is none that is seen alone.
    if (targets === null || device === null || selection.isMany) return [];
    const elsewhere = route.screen !== 'fleet';
    const name = visibleName(device);
    const action = (id: string, title: string, keys: string | null, run: () => unknown, sends = false): Action => ({
      id: `device.${id}`,
      sends,
      group: 'This device',
      name: title,
      words: name,
      ...(keys !== null && { keys }),
      elsewhere,
      run: () => {
        route.go('fleet');
        return run();
      },
    });
    const sender = (id: string, title: string, keys: string | null, run: () => unknown) =>
      action(id, title, keys, run, true);
    const described = detail?.described;
    const list = [
      ...((described?.can_restart ?? true)
        ? [sender('restart', `Restart ${name}…`, 'r', () => controls.open(deviceControls.restart))]
        : []),
      sender('command', `Send ${name} a command…`, 'c', () => composer.openFor(inspected.targets)),
      // The user's own buttons. Those that interrupt a device need confirmation.
      ...catalogue.buttonsOf(targets.connection).map((button) => {
        const dots = catalogue.isDangerous(targets.connection, button.command) ? '…' : '';
        const press = () => composer.press(inspected.targets, button);
        return sender(`button.${button.id}`, `${visibleName(button.label)}${dots}`, null, press);
      }),
      // Only Wilco's own firmware has these commands.
      ...(described === null
        ? [
            sender('config', 'Read the configuration', null, () => inspected.askConfiguration()),
            sender('identify', `Identify ${name}…`, 'b', () => controls.open(deviceControls.identify)),
            sender('log', 'Fetch the log', null, () => fetchLog(log, pane, targets.connection, device)),
            action('showlog', 'Show the log', 'o', () => pane.show('log')),
          ]
        : []),
      action('charts', 'Show charts', 'm', () => pane.show('charts')),
      action('history', 'Show the history', 'h', () => route.go('history', { device })),
      action('traffic', 'Show live traffic', 't', () => pane.show('traffic')),
      action('forget', `Forget ${name}…`, null, () => controls.open(deviceControls.forget)),
    ];
    const goes = inspected.nextLed ? 'on' : 'off';
    if (detail !== null && (described?.can_switch ?? true))
      list.unshift(sender('led', `Switch the LED of ${name} ${goes}`, 'l', () => inspected.flipLed()));
    if (Object.keys(inspected.edits).length > 0) {
      if (inspected.isReady) {
        list.push(sender('apply', 'Apply the changes now', null, () => inspected.apply('now')));
        list.push(sender('later', 'Apply the changes on next restart', null, () => inspected.apply('restart')));
      }
      list.push(action('discard', 'Discard the changes', null, () => inspected.discard()));
    }
    return list;
  };
}

export function fleetActions(): () => Action[] {
  const connections = getConnections();
  const controls = getControls();
  const fleet = getFleet();
  const inspected = getInspected();
  const pane = getLowerPane();
  const route = getRoute();
  return () => {
    if (connections.current === null) return [];
    const listsRollouts = route.screen === 'rollouts' && !route.parameters.has('rollout');
    const searchesItself =
      route.screen === 'history' || listsRollouts || pane.hasKeys('log') || pane.hasKeys('traffic');
    const search: Action = {
      id: 'fleet.search',
      group: 'Fleet',
      name: 'Search devices',
      words: 'find filter',
      ...(!searchesItself && { keys: '/' }),
      run: () => {
        route.go('fleet');
        return controls.open(fleetControls.search);
      },
    };
    const view: Action = {
      id: 'fleet.view',
      group: 'Fleet',
      name: fleet.wall ? 'Show the devices as a list' : 'Show the devices as a wall',
      words: 'list wall tiles view',
      keys: 'v',
      elsewhere: route.screen !== 'fleet',
      run: () => {
        if (route.screen === 'fleet') fleet.wall = !fleet.wall;
        else route.go('fleet');
      },
    };
    const { tokens, text } = fleet.search;
    const opens = (
      what: 'add' | 'columns' | 'export' | 'import' | 'desired' | 'times' | 'views',
      name: string,
      words: string,
    ): Action => ({
      id: `fleet.${what}`,
      group: 'Fleet',
      name,
      words,
      run: () => {
        route.go('fleet');
        return controls.open(fleetControls[what]);
      },
    });
    const group = (id: string, name: string, by: GroupBy | null): Action => ({
      id: `fleet.group_${id}`,
      group: 'Fleet',
      name,
      words: 'list',
      quiet: true,
      run: () => {
        route.go('fleet');
        fleet.groupBy(by);
      },
    });
    const list = [
      search,
      view,
      opens('add', 'Add a device…', 'new device'),
      opens('import', 'Import devices…', 'csv file names tags'),
      opens('export', 'Export devices…', 'csv file names tags'),
      opens('desired', 'Desired configuration…', 'desired values apply differs'),
      opens('times', 'Answer times…', 'percentiles p50 p95 p99 slow suggested timeout latency'),
      opens('views', 'Saved views…', 'save search open'),
      ...(fleet.wall ? [] : [opens('columns', 'Columns of the list…', 'configuration measurements order')]),
      ...GROUPINGS.filter(({ value }) => value !== fleet.group).map(({ value, name }) =>
        group(`by_${value}`, `Group by ${name.toLowerCase()}`, value),
      ),
      ...(fleet.group === null ? [] : [group('none', 'No groups', null)]),
    ];
    const { shown } = pane;
    if (shown !== null) {
      const ofPane = (id: string, name: string, run: () => unknown): Action => ({
        id: `fleet.pane.${id}`,
        group: 'Fleet',
        name,
        words: 'lower pane log charts traffic',
        run,
      });
      list.push(ofPane('close', 'Close the lower pane', () => pane.close()));
      const { device } = inspected;
      if (device !== null)
        list.push(ofPane('page', `Show the ${shown} on a full page`, () => route.go(shown, { device })));
    }
    if (tokens.length === 0 && text === '') return list;
    const clear = () => fleet.find(NOTHING);
    return [...list, { id: 'fleet.clear', group: 'Fleet', name: 'Clear search', words: 'filter', run: clear }];
  };
}
