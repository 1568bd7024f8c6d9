/** The actions of connections. */

import type { ConnectionView } from '../../backend/bindings/ConnectionView';
import { visibleName } from '../../format/text';
import type { Action } from '../../state/actions.svelte';
import { getConnections } from '../../state/connections.svelte';
import { getControls } from '../../state/controls';
import { getRoute } from '../../state/route.svelte';
import { cardControls, connectionControls } from './controls';

export function connectionActions(): () => Action[] {
  const connections = getConnections();
  const controls = getControls();
  const route = getRoute();
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
  const actionsOf = (connection: ConnectionView): Action[] => {
    const { id } = connection;
    const name = visibleName(connection.name);
    const one = (what: string, title: string, run: () => unknown) =>
      action(`${what}.${id}`, title, run, { quiet: true });
    const opens = (what: keyof typeof cardControls) => () => {
      route.go('connections');
      return controls.open(cardControls[what], id);
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
    if (connection.demo) {
      const words = 'virtual devices fail drop delay simulate';
      return [action(`faults.${id}`, `Faults of ${name}…`, opens('faults'), { words, quiet: true }), remove];
    }
    return [
      one('test', `Test ${name}`, () => route.go('connections', { test: id })),
      one('edit', `Edit ${name}…`, edit),
      one('renew', `Renew the certificate of ${name}…`, () => route.go('connections', { renew: id })),
      action(`dialects.${id}`, `Dialects of ${name}…`, () => route.go('connections', { dialects: id }), {
        words: 'firmware other devices import file',
        quiet: connections.current?.id !== id,
      }),
      action(
        `describe.${id}`,
        `Describe a dialect for ${name}…`,
        () => route.go('connections', { dialects: id, edit: '' }),
        {
          words: 'firmware own topics learn',
          quiet: connections.current?.id !== id,
        },
      ),
      one('duplicate', `Duplicate ${name}`, duplicate),
      one('export', `Export ${name}…`, opens('export')),
      remove,
    ];
  };
  return () => {
    const list = connections.list
      .filter((connection) => connection.id !== connections.current?.id)
      .map((connection) =>
        action(
          `choose.${connection.id}`,
          `Switch to ${visibleName(connection.name)}`,
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
    // The wizard covers the place where these would open.
    if (connections.wizard !== null) return list;
    list.push(
      action(
        'import',
        'Import connections…',
        there(() => controls.open(connectionControls.import)),
      ),
    );
    const own = connections.list.filter((connection) => !connection.demo);
    if (own.length > 0) {
      list.push(
        action(
          'export',
          'Export all connections…',
          there(() => controls.open(connectionControls.export)),
        ),
      );
    }
    return [...list, ...connections.list.flatMap(actionsOf)];
  };
}
