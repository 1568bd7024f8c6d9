import { waitFor, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';

import { view } from '../../backend/fake/connections';
import { expectAccessible, openFleet, openWindow } from '../../test/window';

type Opened = Awaited<ReturnType<typeof openFleet>>;

async function openPalette(window: Opened) {
  await window.user.keyboard('{Control>}k{/Control}');
  const dialog = await window.findByRole('dialog', { name: 'Search or run a command' });
  return within(dialog);
}

const chosen = (window: Opened) => window.container.querySelector('[role="option"][aria-selected="true"]');

async function choose(window: Opened, device: string) {
  await window.user.click(window.getByText(device, { selector: '.device' }));
  await window.findByRole('switch', { name: 'LED' });
}

describe('the palette', () => {
  it('goes anywhere by the keyboard, and gives it back when it is closed', async () => {
    const window = await openFleet();
    window.getByRole('grid').focus();
    const palette = await openPalette(window);
    expect(palette.getByRole('combobox')).toHaveFocus();
    await expectAccessible(window.container);
    await window.user.keyboard('{Escape}');
    expect(window.queryByRole('dialog')).toBeNull();
    expect(window.getByRole('grid')).toHaveFocus();

    await openPalette(window);
    await window.user.keyboard('settin{Enter}');
    await waitFor(() => expect(window.app.route.screen).toBe('settings'));
    expect(window.queryByRole('dialog')).toBeNull();
  });

  it('is opened by its field in the top bar, and walked from end to end', async () => {
    const window = await openFleet();
    const field = window.getByRole('button', { name: 'Search or run a command' });
    expect(field).toHaveAttribute('aria-keyshortcuts', 'Control+k Meta+k');
    await window.user.click(field);
    await window.findByRole('group', { name: 'Recent commands' });
    const first = chosen(window)?.textContent;
    await window.user.keyboard('{ArrowDown}');
    expect(chosen(window)?.textContent).not.toBe(first);
    await window.user.keyboard('{ArrowUp}{ArrowUp}');
    const options = window.getAllByRole('option');
    expect(options.at(-1)).toHaveAttribute('aria-selected', 'true');
    const input = within(window.getByRole('dialog')).getByRole('combobox');
    expect(input).toHaveAttribute('aria-activedescendant', options.at(-1)?.id);
    await window.user.keyboard('{Escape}');
    expect(field).toHaveFocus();
  });

  it('says how many more devices fit than it shows', async () => {
    const window = await openFleet();
    const palette = await openPalette(window);
    await window.user.keyboard('kitchen');
    const { matching } = await window.backend.devices(
      { connection: 'demo', search: 'kitchen', sort: 'device', order: 'ascending', group: null },
      0,
      0,
    );
    await palette.findByText(`${matching - 8} more. Keep typing to narrow the list.`);
    await expectAccessible(window.container);
    await window.user.keyboard('-0003');
    await waitFor(() => expect(palette.queryByText(/Keep typing/)).toBeNull());
  });

  it('switches to the connection that is named, before all else that is done with it', async () => {
    const window = openWindow({ connections: [view({ id: 'bench', name: 'bench', url: 'mqtt://bench:1883' })] });
    await window.findByRole('grid', { name: 'Devices' });
    await window.app.connections.startDemo();
    await openPalette(window);
    await window.user.keyboard('bench{Enter}');
    await waitFor(() => expect(window.app.connections.current?.id).toBe('bench'));
    expect(window.app.route.screen).toBe('fleet');
    await openPalette(window);
    await window.user.keyboard('bench');
    await waitFor(() => expect(chosen(window)).toHaveTextContent('Test bench'));
  });

  it('finds devices by the engine, and shows the one that is chosen', async () => {
    const window = await openFleet();
    const palette = await openPalette(window);
    await window.user.keyboard('kitchen-0003');
    await palette.findByRole('option', { name: /^kitchen-0003/ });
    await window.user.keyboard('{Enter}');
    await window.findByRole('complementary', { name: 'Inspector: kitchen-0003' });
  });

  it('tells a device from an action of the same name', async () => {
    const window = await openFleet();
    await choose(window, 'bench-0001');
    const devices = window.backend.devices.bind(window.backend);
    window.backend.devices = async (query, from, count) => {
      const page = await devices({ ...query, search: '' }, from, 1);
      return { ...page, rows: page.rows.slice(0, count).map((row) => ({ ...row, device: 'led' })) };
    };
    const sent = vi.spyOn(window.backend, 'send');
    const palette = await openPalette(window);
    await window.user.keyboard('led');
    const group = within(await palette.findByRole('group', { name: 'Devices' }));
    const device = group.getByRole('option');
    const steps = palette.getAllByRole('option').indexOf(device);
    expect(steps).toBeGreaterThan(0);
    await window.user.keyboard('{ArrowDown}'.repeat(steps));
    expect(chosen(window)).toBe(device);
    await window.user.keyboard('{Enter}');
    await waitFor(() => expect(window.app.inspected.device).toBe('led'));
    expect(sent).not.toHaveBeenCalled();
  });

  it('never takes a device that was found by less than what is typed', async () => {
    const window = await openFleet();
    const palette = await openPalette(window);
    await window.user.keyboard('kitchen');
    await palette.findByRole('option', { name: /^kitchen-0003/ });
    await window.user.keyboard('-0003{Enter}');
    await window.findByRole('complementary', { name: 'Inspector: kitchen-0003' });
  });

  it('stays at what somebody has moved to while more is found', async () => {
    const window = await openFleet();
    const devices = window.backend.devices.bind(window.backend);
    let found = () => {};
    const late = new Promise<void>((resolve) => (found = resolve));
    window.backend.devices = async (...query) => {
      await late;
      return devices(...query);
    };
    const palette = await openPalette(window);
    await palette.findByRole('group', { name: 'Recent commands' });
    await window.user.keyboard('bench{ArrowUp}');
    const there = chosen(window)?.textContent;
    expect(there).toContain('to bench');
    found();
    await palette.findByRole('group', { name: 'Devices' });
    expect(chosen(window)?.textContent).toBe(there);
  });

  it('finds commands that were sent, and unfolds them in the history', async () => {
    const window = await openFleet();
    const sent = window.app;
    await openPalette(window);
    const group = await window.findByRole('group', { name: 'Recent commands' });
    const option = within(group).getAllByRole('option')[0] as HTMLElement;
    const device = /to (\S+)/.exec(option.textContent)?.[1];
    await window.user.click(option);
    await window.findByText('Request');
    expect(sent.history.device).toBe(device);
    expect(sent.route.screen).toBe('history');
  });

  it('asks before it restarts, as the button does', async () => {
    const window = await openFleet();
    await choose(window, 'bench-0001');
    await openPalette(window);
    await window.user.keyboard('restart{Enter}');
    await window.findByRole('dialog', { name: 'Restart bench-0001?' });
    expect(window.getByRole('button', { name: 'Cancel' })).toHaveFocus();
  });

  it('commands no device of a connection that is not looked at', async () => {
    const window = openWindow({ connections: [view({ id: 'other', name: 'Other' })] });
    await window.findByRole('button', { name: /^Connection: Other/ });
    await window.app.connections.startDemo();
    await window.findByText('bench-0001');
    await choose(window, 'bench-0001');
    const sent: string[] = [];
    window.backend.send = (command) => {
      sent.push(`${command.command} to ${command.devices.join()} of ${command.connection}`);
      return Promise.resolve({ ids: ['1'] });
    };
    await window.user.keyboard('gh');
    const run = async (typed: string) => {
      const palette = await openPalette(window);
      await window.user.keyboard(typed);
      const options = palette.queryAllByRole('option').map(({ textContent }) => textContent);
      await window.user.keyboard(options.length > 0 ? '{Enter}' : '{Escape}');
      return options;
    };
    window.app.connections.choose('other');
    expect(await run('switch its led')).toEqual([]);
    expect(await run('fetch the log')).toEqual([]);
    await window.user.keyboard('gf');
    expect(sent).toEqual([]);

    window.app.connections.choose('demo');
    await window.findByText('bench-0001');
    await choose(window, 'bench-0001');
    await window.user.keyboard('gh');
    const goes = window.app.inspected.nextLed ? 'on' : 'off';
    expect((await run('switch the led'))[0]).toMatch(new RegExp(`^Switch the LED of bench-0001 ${goes}`));
    await run('fetch the log');
    await waitFor(() => expect(sent).toEqual(['led to bench-0001 of demo', 'log.get to bench-0001 of demo']));
  });

  it('has what other screens hold: connections, forms, theme and filters', async () => {
    const window = await openFleet();
    const run = async (typed: string) => {
      await openPalette(window);
      await window.user.keyboard(`${typed}{Enter}`);
    };
    await run('theme dark');
    await waitFor(() => expect(window.app.preferences.theme).toBe('dark'));
    await run('import connections');
    await window.findByRole('dialog', { name: 'Import connections' });
    await run('remove demo');
    await window.findByRole('dialog', { name: 'Remove Demo fleet?' });
    await run('timed out');
    await waitFor(() => expect(window.app.history.filter.name).toBe('Timed out'));
    await run('export the history');
    await window.findByRole('dialog', { name: 'Export the history' });
    await run('add a connection');
    await window.findByRole('heading', { name: 'Connect to a broker' });
  });

  it('works before there is a connection, and says when nothing is found', async () => {
    const window = openWindow();
    await window.findByRole('button', { name: 'Try the demo fleet' });
    await window.user.keyboard('{Control>}k{/Control}');
    await window.findByRole('combobox');
    await window.user.keyboard('qqqq');
    await window.findByText(/^No results/);
    await window.user.keyboard('{Backspace}{Backspace}{Backspace}{Backspace}demo{Enter}');
    await window.findByRole('grid', { name: 'Devices' });
  });
});

describe('the keys', () => {
  it('do what their actions do, and nothing while one types', async () => {
    const window = await openFleet();
    await window.user.keyboard('gh');
    expect(window.app.route.screen).toBe('history');
    await window.user.keyboard('gf');
    await window.findByRole('grid');
    await window.user.keyboard('/gh');
    expect(window.app.route.screen).toBe('fleet');
    expect(window.getByRole('combobox', { name: 'Search devices' })).toHaveValue('gh');
  });

  it('search in the live traffic where that is looked at', async () => {
    const window = await openFleet();
    await window.user.keyboard('gt');
    await window.findByRole('grid', { name: 'Messages' });
    await window.user.keyboard('/');
    await waitFor(() => expect(window.getByRole('textbox', { name: 'Search the messages shown' })).toHaveFocus());
    expect(window.app.route.screen).toBe('traffic');
  });

  it('command the device that is looked at, where it can be seen', async () => {
    const window = await openFleet();
    const sent: unknown[] = [];
    const original = window.backend.send.bind(window.backend);
    window.backend.send = (command) => {
      sent.push([command.command, command.args]);
      return original(command);
    };
    await window.user.keyboard('l');
    await choose(window, 'bench-0001');
    const on = window.app.inspected.nextLed;
    await window.user.keyboard('l');
    await waitFor(() => expect(sent).toEqual([['led', JSON.stringify({ on })]]));
    await window.user.keyboard('r');
    await window.findByRole('dialog', { name: 'Restart bench-0001?' });
    // A question is open: it has the keyboard.
    await window.user.keyboard('l{Escape}');
    await window.user.keyboard('gh');
    await window.findByRole('treegrid');
    await window.user.keyboard('lr');
    expect(window.queryByRole('dialog')).toBeNull();
    expect(sent).toHaveLength(1);
  });

  it('are held down without asking a device again and again', async () => {
    const window = await openFleet();
    await choose(window, 'bench-0001');
    let sent = 0;
    const original = window.backend.send.bind(window.backend);
    window.backend.send = (command) => {
      sent += 1;
      return original(command);
    };
    await window.user.keyboard('{l>9/}');
    await waitFor(() => expect(sent).toBe(1));
  });

  it('are listed under ?, each with what it does', async () => {
    const window = await openFleet();
    await choose(window, 'bench-0001');
    window.getByRole('grid').focus();
    await window.user.keyboard('?');
    const sheet = within(await window.findByRole('dialog', { name: 'Keys' }));
    for (const { name } of window.app.actions.list.filter((action) => action.keys !== undefined))
      expect(sheet.getByText(name, { selector: 'dt' })).toBeInTheDocument();
    const others = sheet.getByRole('group', { name: 'In lists, fields and charts' });
    const listed = [...others.querySelectorAll('.keys')].map((keys) => keys.textContent.replaceAll(/\s/gu, ''));
    expect(listed).toEqual(expect.arrayContaining(['Alt↑', 'CtrlJ', 'ShiftEnter', '+', '−', 'Escape']));
    await expectAccessible(window.container);
    await window.user.keyboard('{Escape}');
    expect(window.getByRole('grid')).toHaveFocus();
  });

  it('are each of one action only', async () => {
    const { app } = await openFleet();
    for (const screen of ['fleet', 'history', 'traffic', 'connections', 'commands', 'settings'] as const) {
      app.route.go(screen);
      const keys = app.actions.list.flatMap((action) => (action.keys && !action.elsewhere ? [action.keys] : []));
      expect(new Set(keys).size, screen).toBe(keys.length);
    }
  });
});
