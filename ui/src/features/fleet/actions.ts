/** The actions of the fleet and of the inspected device. */

import { visible, visibleName } from '../../format/text';
import { NOTHING } from '../../format/search';
import type { Action } from '../../state/actions.svelte';
import type { App } from '../../state/app.svelte';
import { openControl } from '../../state/controls';
import { fetchLog } from '../log/actions';

export function deviceActions(app: App): Action[] {
  const { inspected, route, targets } = app;
  const { device, detail } = inspected;
  if (targets === null || device === null) return [];
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
      ? [sender('restart', `Restart ${name}…`, 'r', () => openControl(app, 'device.restart'))]
      : []),
    sender('command', `Send ${name} a command…`, 'c', () => app.ask()),
    ...buttonActions(app, sender),
    // Only Wilco's own firmware has these commands.
    ...(described === null
      ? [
          sender('config', 'Read the configuration', null, () => inspected.askConfiguration()),
          sender('identify', `Identify ${name}…`, 'b', () => openControl(app, 'device.identify')),
          sender('log', 'Fetch the log', null, () => fetchLog(app, targets.connection, device)),
          action('showlog', 'Show the log', 'o', () => route.go('log', { device })),
        ]
      : []),
    action('charts', 'Show charts', 'm', () => route.go('charts', { device })),
    action('history', 'Show the history', 'h', () => route.go('history', { device })),
    action('traffic', 'Show live traffic', 't', () => route.go('traffic', { device })),
    action('forget', `Forget ${name}…`, null, () => openControl(app, 'device.forget')),
  ];
  const goes = inspected.ledGoes ? 'on' : 'off';
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
}

/** The user's own buttons. Those that interrupt a device need confirmation. */
function buttonActions(
  app: App,
  action: (id: string, title: string, keys: null, run: () => unknown) => Action,
): Action[] {
  const { catalogue, inspected } = app;
  const { connection } = inspected;
  if (connection === null) return [];
  return catalogue.buttonsOf(connection).map((button) => {
    const dots = catalogue.isDangerous(connection, button.command) ? '…' : '';
    return action(`button.${button.id}`, `${visible(button.label)}${dots}`, null, () => app.press(button));
  });
}

export function fleetActions(app: App): Action[] {
  const { fleet, route, connections } = app;
  if (connections.current === null) return [];
  const searchesItself = ['history', 'log', 'traffic'].includes(route.screen);
  const search: Action = {
    id: 'fleet.search',
    group: 'Fleet',
    name: 'Search devices',
    words: 'find filter',
    ...(!searchesItself && { keys: '/' }),
    run: () => {
      route.go('fleet');
      return openControl(app, 'fleet.search');
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
  const opens = (what: 'add' | 'export' | 'import' | 'desired', name: string, words: string): Action => ({
    id: `fleet.${what}`,
    group: 'Fleet',
    name,
    words,
    run: () => {
      route.go('fleet');
      return openControl(app, `fleet.${what}`);
    },
  });
  const list = [
    search,
    view,
    opens('add', 'Add a device…', 'new device'),
    opens('import', 'Import devices…', 'csv file names tags'),
    opens('export', 'Export devices…', 'csv file names tags'),
    opens('desired', 'Wanted configuration…', 'desired values apply differs'),
  ];
  if (tokens.length === 0 && text === '') return list;
  const clear = () => fleet.find(NOTHING);
  return [...list, { id: 'fleet.clear', group: 'Fleet', name: 'Clear search', words: 'filter', run: clear }];
}
