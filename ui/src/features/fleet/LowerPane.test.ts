import { fireEvent, waitFor, within } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { expectAccessible, openFleet } from '../../test/window';
import { App } from '../../app';

/** The fleet with an inspected device, and its lower pane after a key. */
async function openPane(key: string) {
  const window = await openFleet({ past: 0 });
  await window.user.click(window.getByText('bench-0001', { selector: '.device' }));
  await window.findByRole('switch', { name: 'LED' });
  window.getByRole('grid', { name: 'Devices' }).focus();
  await window.user.keyboard(key);
  const pane = within(await window.findByRole('region', { name: 'Lower pane' }));
  return { ...window, pane };
}

// jsdom measures nothing.
beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(728);
});
afterEach(() => {
  vi.restoreAllMocks();
});

it('shows log, charts and traffic of a device below the list, which stays as it is', async () => {
  const { app, pane, container, user, getByRole, findByRole } = await openPane('m');
  const grid = getByRole('grid', { name: 'Devices' });
  const selected = () => pane.getByRole('tab', { selected: true });
  await waitFor(() => expect(selected()).toHaveFocus());
  expect(selected()).toHaveTextContent('Charts');
  expect(pane.getByRole('tablist', { name: 'bench-0001' })).toBeVisible();
  await pane.findByRole('slider', { name: 'temperature over time' });
  await expectAccessible(container);
  await user.keyboard('{ArrowRight}');
  expect(selected()).toHaveTextContent('Traffic');
  expect(selected()).toHaveFocus();
  await pane.findByRole('grid', { name: 'Messages' });
  await waitFor(() => expect(app.deviceTraffic.messages.length).toBeGreaterThan(0), { timeout: 5_000 });
  expect(app.deviceTraffic.messages.every(({ wire }) => wire.topic.startsWith('bench-0001/'))).toBe(true);
  expect(pane.queryByRole('textbox', { name: 'Device' })).toBeNull();
  await expectAccessible(container);
  // A message is shown beside the others, and Escape in their list first closes that one.
  const messages = pane.getByRole('grid', { name: 'Messages' });
  messages.focus();
  await user.keyboard('{ArrowDown}');
  const message = await pane.findByRole('region', { name: 'Message' });
  expect(within(message).getByRole('button', { name: 'Close the message' })).toBeVisible();
  await expectAccessible(container);
  await user.keyboard('{Escape}');
  expect(pane.queryByRole('region', { name: 'Message' })).toBeNull();
  pane.getByRole('tab', { name: 'Traffic' }).focus();
  await user.keyboard('{ArrowRight}');
  expect(selected()).toHaveTextContent('Log');
  await pane.findByText('No log has been fetched yet');
  expect(await findByRole('tabpanel', { name: 'Log' })).toBeVisible();
  await expectAccessible(container);
  await user.keyboard('{End}{Home}');
  expect(selected()).toHaveTextContent('Log');
  // The page of the fleet was never left.
  expect(getByRole('grid', { name: 'Devices' })).toBe(grid);
});

it('is closed by Escape, which returns the focus, and by its button', async () => {
  const { app, pane, user, getByRole, queryByRole } = await openPane('o');
  await waitFor(() => expect(pane.getByRole('tab', { name: 'Log' })).toHaveFocus());
  // Escape in the search field clears it first.
  const field = await pane.findByRole('textbox', { name: 'Search in the log' });
  await user.type(field, 'led');
  await user.keyboard('{Escape}');
  expect(field).toHaveValue('');
  getByRole('region', { name: 'Lower pane' });
  await user.keyboard('{Escape}');
  expect(queryByRole('region', { name: 'Lower pane' })).toBeNull();
  expect(getByRole('grid', { name: 'Devices' })).toHaveFocus();
  await user.keyboard('t');
  await user.click(await waitFor(() => getByRole('button', { name: 'Close the lower pane' })));
  expect(queryByRole('region', { name: 'Lower pane' })).toBeNull();
  expect(getByRole('grid', { name: 'Devices' })).toHaveFocus();
  expect(app.pane.shown).toBeNull();
  // The button that opened it closes it too.
  const button = getByRole('button', { name: 'Live traffic' });
  await user.click(button);
  expect(button).toHaveAttribute('aria-pressed', 'true');
  await user.click(button);
  expect(button).toHaveAttribute('aria-pressed', 'false');
  expect(app.pane.shown).toBeNull();
});

it('has its own keys only while the focus is in it', async () => {
  const { app, pane, user, getByRole } = await openPane('m');
  await waitFor(() => expect(pane.getByRole('tab', { name: 'Charts' })).toHaveFocus());
  await pane.findByRole('slider', { name: 'temperature over time' });
  await user.keyboard('p');
  expect(app.charts.live).toBe(false);
  getByRole('grid', { name: 'Devices' }).focus();
  await user.keyboard('p');
  expect(app.charts.live).toBe(false);
  await user.keyboard('o');
  await waitFor(() => expect(pane.getByRole('tab', { name: 'Log' })).toHaveFocus());
  await user.keyboard('/');
  expect(pane.getByRole('textbox', { name: 'Search in the log' })).toHaveFocus();
  getByRole('grid', { name: 'Devices' }).focus();
  await user.keyboard('/');
  expect(getByRole('combobox', { name: /Search/ })).toHaveFocus();
});

it('is resized by the arrow keys and by the pointer, and keeps its height', async () => {
  const { app, backend, pane, container, user } = await openPane('m');
  const handle = pane.getByRole('separator', { name: 'Height of the lower pane' });
  const height = () => container.querySelector<HTMLElement>('.lower-pane')?.style.height;
  const values = () => ['valuemin', 'valuenow', 'valuemax'].map((name) => handle.getAttribute(`aria-${name}`));
  expect(values()).toEqual(['140', '280', '528']);
  handle.focus();
  await user.keyboard('{ArrowUp}');
  expect([values()[1], height()]).toEqual(['296', '296px']);
  await user.keyboard('{PageDown}');
  expect(values()[1]).toBe('216');
  await user.keyboard('{Home}{ArrowDown}');
  expect(values()[1]).toBe('140');
  await user.keyboard('{End}{ArrowUp}');
  expect(values()[1]).toBe('528');
  await user.pointer([
    { keys: '[MouseLeft>]', target: handle, coords: { clientY: 500 } },
    { target: handle, coords: { clientY: 600 } },
    { keys: '[/MouseLeft]', target: handle, coords: { clientY: 600 } },
    { target: handle, coords: { clientY: 300 } },
  ]);
  expect(values()[1]).toBe('428');
  await waitFor(async () => expect((await backend.loadPreferences()).paneHeight).toBe(428), { timeout: 3_000 });
  // A lower window has less room; the height that was chosen is not forgotten.
  app.pane.room = 500;
  await waitFor(() => expect(values()).toEqual(['140', '300', '300']));
  expect(app.preferences.paneHeight).toBe(428);
  await fireEvent.dblClick(handle);
  expect(values()[1]).toBe('280');
  await waitFor(async () => expect((await backend.loadPreferences()).paneHeight).toBe(280), { timeout: 3_000 });

  await waitFor(async () => expect((await backend.loadPreferences()).view?.pane).toBe('charts'), { timeout: 3_000 });
  window.location.hash = '';
  const again = new App(backend);
  await waitFor(() => expect(again.pane.tab).toBe('charts'));
  await waitFor(() => expect(again.preferences.paneHeight).toBe(280));
});

it('follows the inspected device, and says what is missing', async () => {
  const { app, pane, user, getByText, findByRole, container } = await openPane('t');
  const [, second = '', third = ''] = app.fleet.list.ids;
  await waitFor(() => expect(app.deviceTraffic.messages.length).toBeGreaterThan(0), { timeout: 5_000 });
  await user.click(pane.getByRole('button', { name: 'Pause' }));
  await user.click(getByText(second, { selector: '.device' }));
  await pane.findByRole('tablist', { name: second });
  // The paused messages of the one before do not stand under its name.
  expect(app.deviceTraffic.paused).toBe(false);
  expect(app.deviceTraffic.messages.every(({ wire }) => wire.topic.startsWith(`${second}/`))).toBe(true);
  await user.keyboard('{Control>}');
  await user.click(getByText(third, { selector: '.device' }));
  await user.keyboard('{/Control}');
  await pane.findByText('Several devices are selected');
  pane.getByText('Select one device in the list to see its traffic here.');
  await expectAccessible(container);
  app.selection.clear();
  app.inspected.close();
  await pane.findByText('No device selected');
  expect(pane.queryByRole('link', { name: 'Full page' })).toBeNull();
  await findByRole('grid', { name: 'Devices' });
});

it('opens not every device that the arrow keys pass', async () => {
  const { backend, pane, user, getByRole, app } = await openPane('m');
  await pane.findByRole('slider', { name: 'temperature over time' });
  const asked = vi.spyOn(backend, 'telemetry');
  getByRole('grid', { name: 'Devices' }).focus();
  await user.keyboard('{ArrowDown}{ArrowDown}{ArrowDown}{ArrowDown}{ArrowDown}{ArrowDown}');
  const last = app.inspected.device ?? '';
  await pane.findByRole('tablist', { name: last });
  const opened = new Set(asked.mock.calls.filter(([{ points }]) => points === 800).map(([{ device }]) => device));
  expect(opened.size).toBeLessThan(6);
});

it('says that other firmware has no log', async () => {
  const { app, user, findByText, findByRole, container } = await openFleet({ lamp: true });
  await user.click(await findByText('bench-0001', { selector: '.device' }));
  await user.click(await findByRole('button', { name: 'Log' }));
  const pane = within(await findByRole('region', { name: 'Lower pane' }));
  await pane.findByRole('textbox', { name: 'Search in the log' });
  app.fleet.find({ tokens: [], text: 'kitchen-0001' });
  await user.click(await findByText('kitchen/lamp', { selector: '.device .given' }));
  await pane.findByText('No log for this device');
  expect(pane.queryByRole('textbox', { name: 'Search in the log' })).toBeNull();
  expect(pane.queryByRole('link', { name: 'Full page' })).toBeNull();
  await expectAccessible(container);
});
