import { expect, it, vi } from 'vitest';

import { openFleet } from '../test/window';
import { App } from '../app';
import { NEEDS_ATTENTION } from './historyFilters';

async function reopened(backend: App['backend']): Promise<App> {
  window.location.hash = '';
  const app = new App(backend);
  await vi.waitFor(() => expect(app.connections.loaded).toBe(true));
  return app;
}

it('opens again where it was closed', async () => {
  const { app, backend } = await openFleet();
  app.fleet.find({ tokens: ['is:online'], text: 'bench' });
  app.fleet.sortBy('seen');
  app.inspected.choose('demo', 'bench-0001');
  app.history.filterBy(NEEDS_ATTENTION, 'bench-0002');
  app.fleet.wall = true;
  app.fleet.tilePitch = 17;
  app.fleet.colourBy('presence');
  app.fleet.show('temperature');
  app.fleet.showColumns([{ column: 'name' }, { column: 'telemetry', series: 'temperature' }]);
  await app.views.save('Benches');
  app.route.go('history');
  await vi.waitFor(async () => expect((await backend.loadPreferences()).view?.screen).toBe('history'), 3_000);

  const again = await reopened(backend);
  await vi.waitFor(() => expect(again.route.screen).toBe('history'));
  await vi.waitFor(() => expect(again.fleet.search).toEqual({ tokens: ['is:online'], text: 'bench' }));
  expect(again.fleet.sort).toEqual({ sort: 'seen', order: 'ascending' });
  expect(again.inspected.device).toBe('bench-0001');
  expect(again.fleet).toMatchObject({ wall: true, tilePitch: 17, tileColours: 'presence', series: 'temperature' });
  await vi.waitFor(() => expect(again.views.current?.view.name).toBe('Benches'));
  expect(again.views.differs).toBe(false);
  expect(again.history.filter).toBe(NEEDS_ATTENTION);
  expect(again.history.device).toBe('bench-0002');
});

it('takes down nothing while nothing is looked at otherwise', async () => {
  const { app, backend } = await openFleet();
  app.inspected.choose('demo', 'bench-0001');
  await vi.waitFor(async () => expect((await backend.loadPreferences()).view?.device).toBe('bench-0001'), 3_000);
  const save = vi.spyOn(backend, 'savePreferences');
  // The connection counts something meanwhile, as it does every second.
  const [connection] = app.connections.list;
  if (connection) app.connections.list = [{ ...connection, in_per_second: 7 }];
  await new Promise((resolve) => setTimeout(resolve, 1_300));
  expect(save).not.toHaveBeenCalled();
  app.route.go('history');
  await vi.waitFor(() => expect(save).toHaveBeenCalledOnce(), 3_000);
});

it('goes back to nothing of a connection that is no longer looked at', async () => {
  const { app, backend } = await openFleet();
  app.inspected.choose('demo', 'bench-0001');
  await vi.waitFor(async () => expect((await backend.loadPreferences()).view?.device).toBe('bench-0001'), 3_000);
  const view = (await backend.loadPreferences()).view;
  if (view) await backend.savePreferences({ ...app.preferences, view: { ...view, connection: 'gone' } });
  const again = await reopened(backend);
  expect(again.inspected.device).toBeNull();
  expect(again.route.screen).toBe('fleet');
});
