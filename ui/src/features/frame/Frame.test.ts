import { fireEvent, waitFor, within } from '@testing-library/svelte';
import { expect, it, vi } from 'vitest';

import { ROTTERDAM, view } from '../../backend/fake/connections';
import { expectAccessible, openFleet, openWindow } from '../../test/window';

it("shows the engine's notices until they are dismissed", async () => {
  const { backend, findByRole, queryByText, user } = await openFleet();
  backend.notify({ level: 'error', message: 'The disk is full.', hint: 'Make room: answers wait at the broker.' });
  const notices = within(await findByRole('list', { name: 'Notices' }));
  await notices.findByText('The disk is full.');
  await user.click(notices.getByRole('button', { name: 'Dismiss' }));
  expect(queryByText('The disk is full.')).toBeNull();
});

it('shows no two connections by names that look alike', async () => {
  const alike = [view({ id: 'a', name: 'Caf\u00e9' }), view({ id: 'b', name: 'Cafe\u0301' })];
  const { findByRole, user } = openWindow({ connections: alike });
  const chosen = await findByRole('button', { name: /^Connection: Caf\u00e9,/ });
  expect(chosen).toHaveTextContent(/^Caf\u00e9/);
  await user.click(chosen);
  await findByRole('button', { name: /^Cafe\\u0301/ });
});

it('shows its window once the first screen is drawn', async () => {
  const { backend, findByRole } = openWindow();
  expect(backend.shown).toBe(false);
  await findByRole('button', { name: 'Try the demo fleet' });
  await waitFor(() => expect(backend.shown).toBe(true));
});

it('shows three notices and how many more there are, and news takes no warning away', async () => {
  const { app, backend, findByRole, getByRole, queryByRole, user, container } = await openFleet();
  const told = (level: 'info' | 'warning', ...messages: string[]) =>
    messages.forEach((message) => backend.notify({ level, message, hint: null }));
  const list = await findByRole('list', { name: 'Notices' });
  const shown = () =>
    within(list)
      .queryAllByRole('listitem')
      .map((item) => item.textContent.trim());
  told('info', 'News.');
  told('warning', 'One.', 'Two.');
  await waitFor(() => expect(shown()).toEqual(['News.', 'One.', 'Two.']));
  told('warning', 'Three.');
  told('info', 'More news.');
  await waitFor(() => expect(shown()).toEqual(['One.', 'Two.', 'Three.']));
  told('warning', 'Four.', 'Five.');
  await user.click(await findByRole('button', { name: 'and 4 more' }));
  expect(shown()).toEqual(['News.', 'One.', 'Two.', 'Three.', 'More news.', 'Four.', 'Five.']);
  await expectAccessible(container);
  await user.click(getByRole('button', { name: 'Show fewer' }));
  expect(shown()).toEqual(['Three.', 'Four.', 'Five.']);
  told('info', ...Array.from({ length: 120 }, (_, i) => `News ${i}.`));
  await waitFor(() => expect(app.notices.list).toHaveLength(100));
  expect(shown()).toEqual(['Three.', 'Four.', 'Five.']);
  expect(app.notices.list.filter(({ level }) => level === 'warning')).toHaveLength(5);
  await user.click(getByRole('button', { name: 'Dismiss all' }));
  expect(shown()).toEqual([]);
  expect(queryByRole('button', { name: 'Dismiss all' })).toBeNull();
});

it('counts what went wrong in the bar below, where it is opened and put away', async () => {
  const { app, backend, findByRole, getByRole, queryByRole, user, container } = await openFleet();
  backend.notify({ level: 'error', message: 'The disk is full.', hint: null });
  const count = await findByRole('button', { name: '1 notice', expanded: true });
  await user.click(count);
  expect(count).toHaveAttribute('aria-expanded', 'false');
  expect(queryByRole('listitem', { name: /disk/ })).toBeNull();
  expect(app.notices.shown).toEqual([]);
  const unreadable = (topic: string) =>
    backend.notify({
      level: 'warning',
      message: `This answer is unreadable: it is no JSON. It came on ${topic}.`,
      hint: 'It does not change the state of a command.',
      connection: 'demo',
    });
  unreadable('a/res');
  unreadable('b/res');
  const list = within(getByRole('list', { name: 'Notices' }));
  await list.findByText(/2 times, the last shown/);
  list.getByText(/It came on b\/res/);
  await user.click(getByRole('button', { name: '2 notices' }));
  await user.click(getByRole('button', { name: '2 notices' }));
  list.getByText('The disk is full.');
  await expectAccessible(container);
  // Nothing of it would stay up.
  await user.click(getByRole('button', { name: 'Hide' }));
  expect(app.notices.shown).toEqual([]);
  await user.click(getByRole('button', { name: '2 notices' }));
  await user.click(getByRole('button', { name: 'Dismiss all' }));
  expect(queryByRole('button', { name: /notice/ })).toBeNull();
});

it('shows the state of the connection while it is not online', async () => {
  const { backend, findByRole } = await openFleet();
  backend.setLink('demo', { state: 'connecting' });
  expect(await findByRole('status', { name: 'Connection' })).toHaveTextContent('Connecting…');
});

it('announces a connection once, and not at every second of its wait', async () => {
  const { backend, findByRole, findByText } = await openFleet();
  const waiting = { state: 'waiting', message: 'The broker is gone.', hint: 'Is it switched on?' } as const;
  backend.setLink('demo', { ...waiting, retry_at: Date.now() + 60_000 });
  const status = await findByRole('status', { name: 'Connection' });
  expect(status).toHaveTextContent(/^The broker is gone\. Is it switched on\?$/);
  await findByText(/Next attempt in \d+ s\./);
});

it('shows trouble on a connection that is not in view, at the switcher and on the rail', async () => {
  const bench = view({ id: 'bench', name: 'Bench', url: 'mqtt://bench:1883' });
  const yard = view({ id: 'yard', name: 'Yard', url: 'mqtt://yard:1883' });
  const { backend, findByRole, container } = openWindow({ connections: [bench, yard] });
  await findByRole('button', { name: /^Connection: Bench, [^.]*$/ });
  backend.setLink('yard', { state: 'stopped', code: 'connection', message: 'Not authorised (0x87).', hint: null });
  const switcher = await findByRole('button', { name: /^Connection: Bench, .*\. 1 other connection with problems$/ });
  within(switcher).getByTitle(/^Problems on Yard: /);
  await findByRole('link', { name: /^Connections.*1 connection with problems$/ });
  await expectAccessible(container);
});

it('tries a connection that waits at once', async () => {
  const bench = view({ id: 'bench', name: 'Bench', url: 'mqtt://bench:1883' });
  const { backend, findByRole, queryByRole, user } = openWindow({ connections: [bench] });
  const saved = vi.spyOn(backend, 'saveConnection');
  const status = await findByRole('button', { name: /^Connection: Bench/ });
  expect(queryByRole('button', { name: 'Try now' })).toBeNull();
  const retry_at = Date.now() + 60_000;
  backend.setLink('bench', { state: 'waiting', message: 'The broker is gone.', hint: null, retry_at });
  await user.click(await findByRole('button', { name: 'Try now' }));
  expect(saved).toHaveBeenCalledWith(expect.objectContaining({ id: 'bench', name: 'Bench' }));
  expect(status).toBeInTheDocument();
});

it('opens its own menu for a device, and never that of the web view', async () => {
  const { app, getByText, findByRole, queryByRole, user } = await openFleet();
  const row = getByText('cold-store-0001', { selector: '.device' });
  expect(await fireEvent.contextMenu(row, { clientX: 10, clientY: 10 })).toBe(false);
  const menu = within(await findByRole('menu', { name: 'Actions for this device' }));
  expect(app.inspected.device).toBe('cold-store-0001');
  await menu.findByRole('menuitem', { name: /^Switch the LED/ });
  await user.keyboard('{Escape}');
  expect(queryByRole('menu')).toBeNull();
  expect(await fireEvent.contextMenu(document.body)).toBe(false);
  await findByRole('menu', { name: 'Actions' });
});

/** The menu of a text field, opened with the right mouse button. */
async function openFieldMenu(window: Awaited<ReturnType<typeof openFleet>>, field: HTMLElement) {
  expect(await fireEvent.contextMenu(field, { clientX: 10, clientY: 10 })).toBe(false);
  const menu = within(await window.findByRole('menu', { name: 'Edit' }));
  const item = (name: string) => menu.getByRole('menuitem', { name });
  return { menu, item };
}

it('opens its own menu in a text field, which cuts, copies, pastes and selects all', async () => {
  const window = await openFleet();
  const { app, container, getByRole, queryByRole, user } = window;
  const field = getByRole('combobox', { name: /Search/ }) as HTMLInputElement;
  await user.type(field, 'kitchen');
  const opened = await openFieldMenu(window, field);
  const { menu } = opened;
  let { item } = opened;
  expect(menu.getAllByRole('menuitem').map((one) => one.querySelector('.cut')?.textContent)).toEqual([
    'Cut',
    'Copy',
    'Paste',
    'Select all',
  ]);
  expect(menu.getAllByRole('menuitem').map((one) => one.querySelector('.keys')?.textContent)).toEqual([
    'CtrlX',
    'CtrlC',
    'CtrlV',
    'CtrlA',
  ]);
  // Nothing is marked.
  for (const name of ['Cut', 'Copy']) expect(item(name)).toHaveAttribute('aria-disabled', 'true');
  expect(field).toHaveFocus();
  await expectAccessible(container);
  await user.click(item('Select all'));
  expect([field.selectionStart, field.selectionEnd, queryByRole('menu')]).toEqual([0, 7, null]);
  ({ item } = await openFieldMenu(window, field));
  await user.click(item('Copy'));
  expect(await navigator.clipboard.readText()).toBe('kitchen');
  await navigator.clipboard.writeText('bench');
  ({ item } = await openFieldMenu(window, field));
  await user.click(item('Cut'));
  await waitFor(() => expect(field).toHaveValue(''));
  expect(await navigator.clipboard.readText()).toBe('kitchen');
  await navigator.clipboard.writeText('cold-store');
  ({ item } = await openFieldMenu(window, field));
  expect(item('Select all')).toHaveAttribute('aria-disabled', 'true');
  await user.click(item('Paste'));
  await waitFor(() => expect(field).toHaveValue('cold-store'));
  await waitFor(() => expect(app.fleet.search.text).toBe('cold-store'));
  expect(field).toHaveFocus();
});

it('has the keys of the menu while the field keeps the focus, and gives it every other key', async () => {
  const window = await openFleet();
  const { getByRole, queryByRole, user } = window;
  const field = getByRole('combobox', { name: /Search/ }) as HTMLInputElement;
  await user.type(field, 'kitchen');
  const { menu } = await openFieldMenu(window, field);
  // Cut and Copy are disabled, and passed.
  await user.keyboard('{ArrowDown}{ArrowDown}');
  expect(menu.getByRole('menuitem', { name: 'Select all' })).toHaveClass('reached');
  expect(field).toHaveFocus();
  await user.keyboard('{Enter}');
  expect([field.selectionStart, field.selectionEnd, queryByRole('menu')]).toEqual([0, 7, null]);
  await openFieldMenu(window, field);
  await user.keyboard('{Escape}');
  expect([queryByRole('menu'), field.value]).toEqual([null, 'kitchen']);
  await openFieldMenu(window, field);
  await user.keyboard('x');
  expect([queryByRole('menu'), field.value]).toEqual([null, 'x']);
});

it('copies no password, pastes like the web view where allowed, and reports where it cannot', async () => {
  const window = await openFleet();
  const { container, findByText } = window;
  const field = document.createElement('input');
  container.append(field);
  Object.assign(field, { type: 'password', value: 'horse' });
  field.select();
  let { item } = await openFieldMenu(window, field);
  for (const name of ['Cut', 'Copy']) expect(item(name)).toHaveAttribute('aria-disabled', 'true');
  expect(item('Paste')).not.toHaveAttribute('aria-disabled');
  vi.spyOn(navigator.clipboard, 'readText').mockRejectedValueOnce(new DOMException('Denied.', 'NotAllowedError'));
  await fireEvent.click(item('Paste'));
  await findByText('Could not read the clipboard.');
  await findByText(/Press Ctrl\+V instead\./);
  const done = vi.fn(() => true);
  Object.assign(document, { execCommand: done, queryCommandEnabled: () => true });
  try {
    ({ item } = await openFieldMenu(window, field));
    await fireEvent.click(item('Paste'));
    expect(done).toHaveBeenCalledWith('paste', false, undefined);
  } finally {
    Reflect.deleteProperty(document, 'execCommand');
    Reflect.deleteProperty(document, 'queryCommandEnabled');
  }
  field.readOnly = true;
  ({ item } = await openFieldMenu(window, field));
  expect(item('Paste')).toHaveAttribute('aria-disabled', 'true');
});

it('keeps what is open around a field, in a popover and in a dialog', async () => {
  const window = await openFleet();
  const { findByRole, getByRole, user } = window;
  await user.click(getByRole('button', { name: 'Views' }));
  const dialog = within(await findByRole('dialog', { name: 'Views' }));
  const name = dialog.getByRole('textbox') as HTMLInputElement;
  await navigator.clipboard.writeText('Benches');
  let { item } = await openFieldMenu(window, name);
  await user.click(item('Paste'));
  await waitFor(() => expect(name).toHaveValue('Benches'));
  expect(name).toBeVisible();
  await user.keyboard('{Escape}{Control>}k{/Control}');
  const palette = await findByRole('combobox', { name: /Search/, expanded: true });
  ({ item } = await openFieldMenu(window, palette));
  // Everything outside a modal dialog is inert.
  expect(item('Paste').closest('dialog')).toContainElement(palette);
});

it('opens the menu of a device by the button of its row, too', async () => {
  const { app, container, findByRole, user } = await openFleet();
  const row = container.querySelector('[data-device="cold-store-0002"]') as HTMLElement;
  expect(row.querySelector('.menu')).toBeNull();
  await fireEvent.pointerEnter(row);
  await user.click(row.querySelector('.menu') as Element);
  const menu = within(await findByRole('menu', { name: 'Actions for this device' }));
  expect(app.inspected.device).toBe('cold-store-0002');
  await menu.findByRole('menuitem', { name: /^Restart cold-store-0002/ });
  await expectAccessible(container);
  await fireEvent.pointerLeave(row);
  expect(row.querySelector('.menu')).toBeNull();
});

it('leads from the badge to what needs a look', async () => {
  const { findByRole, container, user } = await openFleet();
  await user.click(await findByRole('button', { name: /needs? attention$/ }));
  await findByRole('treegrid');
  expect(await findByRole('button', { name: 'Needs attention, last hour' })).toHaveAttribute('aria-pressed', 'true');
  expect(container.querySelector('[data-state="succeeded"].grid-row')).toBeNull();
  await user.click(await findByRole('button', { name: 'Load older' }));
  expect(await findByRole('button', { name: 'Needs attention' })).toHaveAttribute('aria-pressed', 'true');
  expect(await findByRole('button', { name: 'Needs attention' })).toHaveFocus();
});

it('says at Connections that a certificate expires soon, whichever connection is looked at', async () => {
  const bench = view({ id: 'bench', name: 'Bench', url: 'mqtt://bench:1883' });
  const { findByRole } = openWindow({ connections: [bench, { ...ROTTERDAM }] });
  await findByRole('button', { name: /^Connection: Bench/ });
  await findByRole('link', { name: /^Connections.*a certificate expires soon$/ });
});

it('has links to every screen, and says which one is shown', async () => {
  const { app, getByRole, user } = await openFleet();
  const navigation = within(getByRole('navigation', { name: 'Main' }));
  expect(navigation.getAllByRole('link').map((link) => link.textContent.trim())).toEqual([
    'Fleet',
    'Rollouts',
    'History',
    'Commands',
    'Traffic',
    'Connections',
    'Settings',
  ]);
  await user.click(navigation.getByRole('link', { name: 'Connections' }));
  await waitFor(() => expect(navigation.getByRole('link', { current: 'page' })).toHaveTextContent('Connections'));
  // They are come to from a device.
  for (const screen of ['log', 'charts'] as const) {
    app.route.go(screen);
    await waitFor(() => expect(navigation.getByRole('link', { current: 'page' })).toHaveTextContent('Fleet'));
  }
});

it('says that the connection which was shown has gone, and has nothing chosen on the next', async () => {
  const window = openWindow({ connections: [view({ id: 'bench', name: 'bench', url: 'mqtt://bench:1883' })] });
  await window.findByRole('grid', { name: 'Devices' });
  await window.app.connections.startDemo();
  await window.findByText('bench-0001');
  const { app, backend, findByText, findByRole, getByText, user } = window;
  await user.click(getByText('bench-0001', { selector: '.device' }));
  await findByRole('switch', { name: 'LED' });
  app.route.go('log', { device: 'bench-0001' });
  // As the command line does.
  await backend.removeConnection('demo');
  await findByText('The connection “Demo fleet” was removed. This is “bench”.');
  expect(app.connections.current?.id).toBe('bench');
  expect(app.inspected.device).toBeNull();
  expect(app.route.screen).toBe('fleet');
});
