import { tick } from 'svelte';

import type { ConnectionView } from '../backend/bindings/ConnectionView';
import { keyText } from '../format/keys';
import { visible } from '../format/text';
import { NOTHING } from '../format/search';
import type { App } from './app.svelte';
import type { ControlName } from './controls';
import { EVERY_FILTER, FILTERS, NEEDS_ATTENTION_NOW } from './history.svelte';
import type { Screen } from './route.svelte';
import { RANGES } from './telemetry.svelte';
import { Shortcuts } from './shortcuts';

export const GROUPS = [
  'Log',
  'Charts',
  'This device',
  'Go to',
  'Fleet',
  'Rollouts',
  'History',
  'Live traffic',
  'Connections',
  'Commands',
  'Window',
] as const;
type Group = (typeof GROUPS)[number];

/** Something that can be done now. */
export interface Action {
  id: string;
  group: Group;
  name: string;
  /** Other words that it is looked for by. */
  words?: string;
  /** Its keys: `l`, `g f`, `mod+k`. */
  keys?: string;
  /** Its keys do nothing on the screen that is shown, because nobody would see what happens. */
  elsewhere?: boolean;
  /** Only shown once something is typed: there are many of its kind. */
  quiet?: boolean;
  /** It comes before others that fit as well. */
  prior?: boolean;
  run: () => unknown;
}

/** Keys that belong to a list, a field or a chart, and what they do there. */
export const IN_LISTS: { keys: string; name: string }[] = [
  { keys: '↑ ↓', name: 'Move in a list' },
  { keys: 'Home End', name: 'To its first and its last row' },
  { keys: 'Enter', name: 'From a device to its LED; unfold a command' },
  { keys: '↓', name: 'From the search to the list of devices' },
  { keys: 'Space', name: 'Select a device, or deselect it' },
  { keys: 'mod+a', name: 'Select every device in the list' },
  { keys: '+ − 0', name: 'Zoom the wall in and out; show all of it' },
  { keys: '↑ Enter', name: 'From the first device to the heads; sort by one' },
  { keys: '→ ←', name: 'Unfold and fold a command' },
  { keys: 'alt+↑ alt+↓', name: 'Move a connection up or down' },
  { keys: 'mod+j', name: 'Arguments as a form or as JSON' },
  { keys: 'Enter shift+Enter', name: 'Next and previous place found in a log' },
  { keys: '+ −', name: 'Zoom the charts in and out, about the line' },
  { keys: 'shift+← shift+→', name: 'Move the charts’ time back and on' },
  { keys: 'Escape', name: 'Close, empty a search, reset the zoom' },
];

/** All that can be done, in one place: buttons have their keys from here, and so have the palette and the list of keys. */
export class Actions {
  paletteOpen = $state(false);
  sheetOpen = $state(false);
  readonly #shortcuts: Shortcuts;
  /** What features offer, each in its own place. */
  #offers = $state.raw<(() => Action[])[]>([]);
  readonly list: Action[] = $derived.by(() => [
    ...this.#log(),
    ...this.#charts(),
    ...this.#device(),
    ...this.#places(),
    ...this.#fleet(),
    ...this.#history(),
    ...this.#traffic(),
    ...this.#connections(),
    ...this.#commands(),
    ...this.#offers.flatMap((offer) => offer()),
    ...this.#window(),
  ]);

  constructor(readonly app: App) {
    this.#shortcuts = new Shortcuts(
      (keys) => {
        const action = this.list.find((one) => one.keys === keys && one.elsewhere !== true);
        if (action) void this.run(action);
        return action !== undefined;
      },
      (key) => this.list.some((action) => action.keys?.startsWith(`${key} `)),
    );
  }

  /** A feature says what can be done with it now. */
  offer(actions: () => Action[]): void {
    this.#offers = [...this.#offers, actions];
  }

  onkeydown(event: KeyboardEvent): void {
    this.#shortcuts.onkeydown(event);
  }

  async run(action: Action): Promise<void> {
    try {
      await action.run();
    } catch (reason) {
      this.app.reportError(reason);
    }
  }

  /** The attributes of a control that does the same as an action. */
  hint(id: string): { title?: string; 'aria-keyshortcuts'?: string } {
    const keys = this.list.find((action) => action.id === id)?.keys;
    if (keys === undefined) return {};
    const title = `Keys: ${keyText(keys)}`;
    // One key after another cannot be said in the attribute.
    if (keys.includes(' ')) return { title };
    return { title, 'aria-keyshortcuts': keys.replace(/^mod\+(.)/, (_, key: string) => `Control+${key} Meta+${key}`) };
  }

  #device(): Action[] {
    const { inspected, route, targets } = this.app;
    const { device, detail } = inspected;
    if (targets === null || device === null) return [];
    const elsewhere = route.screen !== 'fleet';
    const name = visible(device);
    const action = (id: string, title: string, keys: string | null, run: () => unknown): Action => ({
      id: `device.${id}`,
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
    const described = detail?.described;
    const list = [
      ...((described?.can_restart ?? true)
        ? [action('restart', `Restart ${name}…`, 'r', () => this.#open('device.restart'))]
        : []),
      action('command', `Command for ${name}…`, 'c', () => this.app.ask()),
      ...this.#buttons(action),
      // Only Wilco's own firmware has these commands.
      ...(described === null
        ? [
            action('config', 'Read its configuration', null, () => inspected.askConfiguration()),
            action('identify', `Identify ${name}…`, 'b', () => this.#open('device.identify')),
            action('log', 'Fetch its log', null, () => this.#fetchLog(targets.connection, device)),
            action('showlog', 'Show its log', 'o', () => route.go('log', { device })),
          ]
        : []),
      action('charts', 'Show its telemetry as charts', 'm', () => route.go('charts', { device })),
      action('history', 'Show its history', 'h', () => route.go('history', { device })),
      action('traffic', 'Show its live traffic', 't', () => route.go('traffic', { device })),
      action('forget', `Forget ${name}…`, null, () => this.#open('device.forget')),
    ];
    const goes = inspected.ledGoes ? 'on' : 'off';
    if (detail !== null && (described?.can_switch ?? true))
      list.unshift(action('led', `Switch its LED ${goes}: ${name}`, 'l', () => inspected.flipLed()));
    if (Object.keys(inspected.edits).length > 0) {
      if (inspected.isReady) {
        list.push(action('apply', 'Apply the changes now', null, () => inspected.apply('now')));
        list.push(action('later', 'Apply the changes on next restart', null, () => inspected.apply('restart')));
      }
      list.push(action('discard', 'Discard the changes', null, () => inspected.discard()));
    }
    return list;
  }

  async #fetchLog(connection: string, device: string): Promise<void> {
    this.app.route.go('log', { device });
    await this.app.log.fetch(connection, device);
  }

  /** What can be done with the log that is shown. */
  #log(): Action[] {
    const { log, route } = this.app;
    const { connection, device } = log;
    if (route.screen !== 'log' || connection === null || device === null) return [];
    const action = (id: string, name: string, keys: string, run: () => unknown): Action => ({
      id: `log.${id}`,
      group: 'Log',
      name,
      words: visible(device),
      keys,
      run,
    });
    return [
      action('fetch', 'Fetch the log again', 'u', () => this.#fetchLog(connection, device)),
      action('follow', log.following ? 'Stop following the log' : 'Follow the log', 'w', () =>
        log.following ? log.unfollow() : log.follow(),
      ),
      action('search', 'Search in the log', '/', () => this.#open('log.search')),
      action('save', 'Save the log…', 'e', () => this.#open('log.save')),
    ];
  }

  /** What can be done with the charts that are shown. */
  #charts(): Action[] {
    const { charts, route } = this.app;
    if (route.screen !== 'charts' || charts.device === null) return [];
    const action = (id: string, name: string, run: () => unknown, keys?: string): Action => ({
      id: `charts.${id}`,
      group: 'Charts',
      name,
      words: 'telemetry time',
      ...(keys !== undefined && { keys }),
      run,
    });
    const list = [
      action(
        'pause',
        charts.live ? 'Pause the charts' : 'Resume the charts',
        () => (charts.live ? charts.pause() : charts.goOn()),
        'p',
      ),
      ...RANGES.filter(({ value }) => value !== charts.range).map(({ value, name }) =>
        action(`range.${value}`, `Show ${name === 'All' ? 'all that is kept' : `the last ${name}`}`, () =>
          charts.show(value),
        ),
      ),
    ];
    return charts.zoom === null ? list : [...list, action('reset', 'Reset the zoom', () => charts.reset())];
  }

  /** The person's own buttons. Those that interrupt a device ask first. */
  #buttons(action: (id: string, title: string, keys: null, run: () => unknown) => Action): Action[] {
    const { catalogue, inspected } = this.app;
    const { connection } = inspected;
    if (connection === null) return [];
    return catalogue.buttonsOf(connection).map((button) => {
      const dots = catalogue.isDangerous(connection, button.command) ? '…' : '';
      return action(`button.${button.id}`, `${visible(button.label)}${dots}`, null, () => this.app.press(button));
    });
  }

  #places(): Action[] {
    const { app } = this;
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
      place('history', 'History', 'g h'),
      place('traffic', 'Live traffic', 'g t'),
      place('connections', 'Connections', 'g c'),
      place('commands', 'Your own commands', 'g m'),
      place('settings', 'Settings', 'g s'),
    ];
    if ((app.connections.current?.counts.need_you ?? 0) > 0)
      list.push({ id: 'go.needy', group: 'Go to', name: 'Needs attention', keys: 'g n', run: () => this.showNeedy() });
    return list;
  }

  showNeedy(): void {
    this.app.history.filterBy(NEEDS_ATTENTION_NOW, '');
    this.app.route.go('history');
  }

  #fleet(): Action[] {
    const { fleet, route, connections } = this.app;
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
        return this.#open('fleet.search');
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
        return this.#open(`fleet.${what}`);
      },
    });
    const list = [
      search,
      view,
      opens('add', 'Add a device…', 'new device'),
      opens('import', 'Import devices…', 'csv file names tags'),
      opens('export', 'Export devices…', 'csv file names tags'),
      opens('desired', 'Wanted configuration…', 'desired values bring into line differs'),
    ];
    if (tokens.length === 0 && text === '') return list;
    const clear = () => fleet.find(NOTHING);
    return [...list, { id: 'fleet.clear', group: 'Fleet', name: 'Clear search', words: 'filter', run: clear }];
  }

  #history(): Action[] {
    const { history, route, connections } = this.app;
    if (connections.current === null) return [];
    const here = route.screen === 'history';
    const action = (id: string, name: string, run: () => unknown, more: Partial<Action> = {}): Action => ({
      id: `history.${id}`,
      group: 'History',
      name,
      words: 'commands filter',
      run: () => {
        route.go('history');
        return run();
      },
      ...more,
    });
    const filters = EVERY_FILTER.filter((filter) => filter.name !== history.filter.name);
    const list = [
      action('export', 'Export the history…', () => this.#open('history.export'), { keys: 'e', elsewhere: !here }),
      action('device', 'Filter by a device', () => this.#open('history.device'), here ? { keys: '/' } : {}),
      ...filters.map((filter) =>
        action(`filter.${filter.name}`, `Show only: ${filter.name}`, () => history.filterBy(filter), { quiet: true }),
      ),
    ];
    const clearOld = () => {
      route.go('settings');
      return this.#open('settings.clear');
    };
    list.push(action('forget', 'Clear old commands from the history…', clearOld, { words: 'retention delete forget' }));
    if (history.filter !== FILTERS[0] || history.device !== '')
      list.push(action('clear', 'Clear the filters', () => history.filterBy(FILTERS[0] ?? history.filter, '')));
    if (history.hasNewer) list.push(action('newest', 'Show the newest', () => history.showNewest()));
    if (history.export.view !== null) list.push(action('stop', 'Stop the export', () => history.export.stop()));
    return list;
  }

  #traffic(): Action[] {
    const { traffic, route } = this.app;
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
      action('search', 'Search in the traffic', () => this.#open('traffic.search'), { keys: '/' }),
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
  }

  #connections(): Action[] {
    const { connections, route } = this.app;
    const action = (id: string, name: string, run: () => unknown, more: Partial<Action> = {}): Action => ({
      id: `connections.${id}`,
      group: 'Connections',
      name,
      words: 'connection broker',
      run,
      ...more,
    });
    const there = (run: () => unknown) => () => {
      route.go('connections');
      return run();
    };
    const list = connections.list
      .filter((connection) => connection.id !== connections.current?.id)
      .map((connection) =>
        action(
          `choose.${connection.id}`,
          `Switch to ${visible(connection.name)}`,
          () => connections.choose(connection.id),
          {
            prior: true,
          },
        ),
      );
    list.push(
      action(
        'add',
        'Add a connection…',
        there(() => connections.add()),
      ),
    );
    if (!connections.list.some((connection) => connection.demo)) {
      const start = async () => {
        await connections.startDemo();
        route.go('fleet');
      };
      list.push(action('demo', 'Start the demo fleet', start, { words: 'try virtual devices' }));
    }
    // The wizard stands where these would open.
    if (connections.wizard !== null) return list;
    list.push(
      action(
        'import',
        'Import connections…',
        there(() => this.#open('connections.import')),
      ),
    );
    const own = connections.list.filter((connection) => !connection.demo);
    if (own.length > 0) {
      list.push(
        action(
          'export',
          'Export all connections…',
          there(() => this.#open('connections.export')),
        ),
      );
    }
    return [...list, ...connections.list.flatMap((connection) => this.#ofConnection(connection, action))];
  }

  #ofConnection(
    connection: ConnectionView,
    action: (id: string, name: string, run: () => unknown, more?: Partial<Action>) => Action,
  ): Action[] {
    const { connections, route } = this.app;
    const { id } = connection;
    const name = visible(connection.name);
    const one = (what: string, title: string, run: () => unknown) =>
      action(`${what}.${id}`, title, run, { quiet: true });
    const opens = (what: string) => () => {
      route.go('connections');
      return this.#open(`connections.${what}.${id}`);
    };
    const edit = () => {
      route.go('connections');
      connections.edit(connection);
    };
    const duplicate = async () => {
      const copy = await connections.duplicate(id);
      route.go('connections', { shown: copy.id });
    };
    const remove = one('remove', `Remove ${name}…`, opens('remove'));
    if (connection.demo) return [remove];
    return [
      one('test', `Test ${name}`, () => route.go('connections', { test: id })),
      one('edit', `Edit ${name}…`, edit),
      one('renew', `Renew the certificate of ${name}…`, () => route.go('connections', { renew: id })),
      one('duplicate', `Duplicate ${name}`, duplicate),
      one('export', `Export ${name}…`, opens('export')),
      remove,
    ];
  }

  #commands(): Action[] {
    const { catalogue, route } = this.app;
    const action = (id: 'export' | 'import' | 'describe', name: string): Action => ({
      id: `commands.${id}`,
      group: 'Commands',
      name,
      words: 'catalogue buttons firmware own',
      run: () => {
        route.go('commands');
        return this.#open(`commands.${id}`);
      },
    });
    const list = [action('describe', 'Describe a command…'), action('import', 'Import commands…')];
    return catalogue.isEmpty ? list : [...list, action('export', 'Export commands…')];
  }

  #window(): Action[] {
    const { preferences, notices } = this.app;
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
      action('palette', 'Search or run a command', () => this.#show('palette'), 'mod+k'),
      action('keys', 'Show all keys', () => this.#show('sheet'), '?'),
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
    list.push(action('folder', 'Open the data folder', () => this.app.settings.openFolder()));
    if (this.app.undo.available) list.push(action('undo', 'Undo', () => this.app.undo.last(), 'mod+z'));
    if (notices.list.length > 0) {
      const dismiss = () => notices.list.forEach((notice) => notices.dismiss(notice.id));
      list.push(action('notices', 'Dismiss all notices', dismiss));
    }
    return list;
  }

  #show(which: 'palette' | 'sheet'): void {
    this.paletteOpen = which === 'palette' && !this.paletteOpen;
    this.sheetOpen = which === 'sheet';
  }

  /** Opens it on the screen that was just gone to. */
  async #open(control: ControlName): Promise<void> {
    await tick();
    this.app.controls.activate(control);
  }
}
