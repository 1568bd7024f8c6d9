import { render, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';

import AppView from '../../App.svelte';
import { App } from '../../app';
import { fakeBackend } from '../../backend/fake';
import { view } from '../../backend/fake/connections';
import { expectAccessible } from '../../test/window';

/** The window over an engine that still reads the devices of its only connection, until `finish` is called. */
function openLoading() {
  const plant = view({ id: 'plant', name: 'plant', devices: 0, online: 0, link: { state: 'loading' } });
  const backend = fakeBackend({ connections: [plant] });
  let load: () => void;
  const loaded = new Promise<void>((resolve) => {
    load = resolve;
  });
  const { deviceColumns, rollouts, views } = backend;
  Object.assign(backend, {
    deviceColumns: (...given: Parameters<typeof deviceColumns>) => loaded.then(() => deviceColumns(...given)),
    rollouts: () => loaded.then(() => rollouts()),
    views: (...given: Parameters<typeof views>) => loaded.then(() => views(...given)),
  });
  const app = new App(backend);
  const screen = render(AppView, { app });
  const finish = () => {
    backend.setLink('plant', { state: 'connecting' });
    load();
  };
  return { ...screen, finish, user: userEvent.setup() };
}

it('shows the window while the devices are being loaded, and does not say that there are none', async () => {
  const { finish, findByRole, getByRole, queryByText, container } = openLoading();
  await findByRole('button', { name: 'Connection: plant, loading…' });
  const grid = within(await findByRole('grid', { name: 'Devices' }));
  grid.getByText('Loading the devices…');
  const status = within(getByRole('contentinfo', { name: 'Status' }));
  status.getByText('Loading the devices and commands…');
  expect(queryByText('No devices yet')).toBeNull();
  expect(queryByText(/^0 (of|devices|queued|commands)/)).toBeNull();
  expect(queryByText(/0 of 0/)).toBeNull();
  await expectAccessible(container);

  finish();
  await grid.findByRole('heading', { name: 'No devices yet' });
  await status.findByText('0 devices, 0 online');
  expect(queryByText(/^Loading/)).toBeNull();
});

it('opens other screens while the devices are being loaded', async () => {
  const { finish, findByRole, findByText, queryByText, user } = openLoading();
  await user.click(await findByRole('link', { name: /^History/ }));
  await findByRole('heading', { name: 'History', level: 1 });
  await user.click(await findByRole('link', { name: /^Connections/ }));
  const card = within(await findByRole('article', { name: 'plant' }));
  card.getByText('Loading the devices…');
  expect(queryByText(/0 devices/)).toBeNull();
  await user.click(await findByRole('link', { name: /^Rollouts/ }));
  await findByText('Loading the rollouts…');
  expect(queryByText('No rollout yet')).toBeNull();
  finish();
  await findByRole('heading', { name: 'No rollout yet' });
});
