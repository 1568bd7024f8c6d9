import { fireEvent, waitFor, within } from '@testing-library/svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';

import type { Step } from '../../backend/fake/fate';
import { failureOf } from '../../state/failure';
import { expectAccessible, openFleet } from '../../test/window';
import { closeRolloutDialog, rolloutToPrepare } from '../rollouts/start.svelte';

/** A device that takes its time at each rung until it is told on. */
const CLIMBS: Step[] = [
  { after: 1, change: { state: 'sent' } },
  { after: 1, change: { state: 'at_broker' } },
  { after: 1, change: { state: 'accepted', match: 'exact' } },
  { after: 250, change: { state: 'succeeded' }, effect: 'led' },
];

async function openDevice(device: string, options = {}) {
  const window = await openFleet(options);
  await window.user.click(window.getByText(device, { selector: '.device' }));
  const inspector = within(await window.findByRole('complementary', { name: `Inspector: ${device}` }));
  await inspector.findByRole('switch', { name: 'LED' });
  return { ...window, inspector };
}

describe('the fleet', () => {
  it('is a grid with names and counts', async () => {
    const { getByRole, container } = await openFleet();
    expect(getByRole('grid')).toHaveAttribute('aria-rowcount', '61');
    expect(container.querySelector('[data-device="bench-0001"]')).toBeInTheDocument();
    await expectAccessible(container);
  });

  it('says how many new IDs are not listed', async () => {
    const { app, container, findByText, queryByText } = await openFleet();
    expect(queryByText(/not listed/)).not.toBeInTheDocument();
    app.connections.list = app.connections.list.map((connection) => ({ ...connection, unlisted: 78_912 }));
    expect(await findByText(/78,912 new IDs not listed/)).toHaveAttribute(
      'title',
      expect.stringContaining('10 seconds'),
    );
    await expectAccessible(container);
  });

  it('is searched by words and tokens', async () => {
    const { getByRole, findByText, findByRole, user, container } = await openFleet();
    await user.keyboard('/');
    const field = getByRole('combobox', { name: 'Search devices' });
    expect(field).toHaveFocus();
    await user.keyboard('tag:kitchen 0003');
    await waitFor(() => expect(container.querySelectorAll('[data-device]')).toHaveLength(1));
    expect(container.querySelector('[data-device]')).toHaveAttribute('data-device', 'kitchen-0003');
    await user.keyboard('x');
    await findByText('No device matches');
    await user.click(await findByRole('button', { name: 'Show all devices' }));
    await findByText('bench-0001');
  });

  it('completes what is typed, by the keyboard', async () => {
    const { getByRole, findByRole, app, user, container } = await openFleet();
    await user.keyboard('/ta');
    const field = getByRole('combobox', { name: 'Search devices' });
    await waitFor(() => expect(field).toHaveAttribute('aria-expanded', 'true'));
    await user.keyboard('{Tab}');
    await waitFor(() => expect(field).toHaveValue('tag:'));
    await findByRole('option', { name: /tag:kitchen/ });
    // From the first one up is the last one.
    await user.keyboard('{ArrowDown}{ArrowUp}');
    const completions = within(getByRole('listbox', { name: 'Completions' }));
    const last = completions.getAllByRole('option').at(-1);
    expect(field).toHaveAttribute('aria-activedescendant', last?.id);
    await expectAccessible(container);
    await user.keyboard('kitch{ArrowDown}{Enter}');
    await waitFor(() => expect(app.fleet.search).toEqual({ tokens: ['tag:kitchen'], text: '' }));
    expect(field).toHaveFocus();
    await user.keyboard('fir');
    await findByRole('option', { name: /firmware:/ });
    await user.keyboard('{Escape}');
    expect(completions.queryByRole('option')).toBeNull();
    expect(field).toHaveValue('fir');
    await user.keyboard('{Escape}');
    expect(app.fleet.search).toEqual({ tokens: [], text: '' });
  });

  it('underlines what cannot be understood, and keeps the list meanwhile', async () => {
    const { getByRole, findByRole, user, container, app } = await openFleet();
    await user.keyboard('/kitchen is:sideways');
    const { matching } = app.fleet;
    await user.keyboard('{Enter}');
    await findByRole('alert');
    expect(container.querySelector('mark')).toHaveTextContent('is:sideways');
    expect(getByRole('combobox', { name: 'Search devices' })).toHaveAttribute('aria-invalid', 'true');
    expect(app.fleet.failure).toBeNull();
    expect(app.fleet.matching).toBe(matching);
  });

  it('is gone to from its search, by ↓', async () => {
    const { getByRole, user, container, findByRole } = await openFleet();
    await user.keyboard('/kitchen{ArrowDown}');
    expect(getByRole('grid')).toHaveFocus();
    await waitFor(() => expect(container.querySelector('[data-device="bench-0001"]')).toBeNull());
    await user.keyboard('{ArrowDown}');
    await findByRole('complementary', { name: 'Inspector: kitchen-0001' });
  });

  it('is sorted by its heads', async () => {
    const { getByRole, findByText, user } = await openFleet();
    await user.click(getByRole('button', { name: 'Device' }));
    expect(getByRole('columnheader', { name: 'Device' })).toHaveAttribute('aria-sort', 'descending');
    await findByText('roof-0005');
  });

  it('is sorted with the keyboard: its heads lie above the first row', async () => {
    const { getByRole, findByText, user, app, container } = await openFleet();
    const grid = getByRole('grid');
    grid.focus();
    await user.keyboard('{ArrowDown}{ArrowUp}');
    expect(getByRole('button', { name: 'Device' })).toHaveFocus();
    await user.keyboard('{ArrowLeft}{ArrowRight}');
    expect(getByRole('button', { name: 'Presence' })).toHaveFocus();
    await user.keyboard('{End}{ArrowRight}');
    expect(getByRole('button', { name: 'Trip' })).toHaveFocus();
    await user.keyboard('{Home}{Enter}');
    expect(getByRole('columnheader', { name: 'Device' })).toHaveAttribute('aria-sort', 'descending');
    await findByText('roof-0005');
    await expectAccessible(container);
    const { device } = app.inspected;
    await user.keyboard('{ArrowDown}');
    expect(grid).toHaveFocus();
    expect(app.inspected.device).toBe(device);
  });

  it('is walked with the keyboard', async () => {
    const { getByRole, findByRole, user } = await openFleet();
    getByRole('grid').focus();
    await user.keyboard('{ArrowDown}{ArrowDown}');
    expect(getByRole('row', { selected: true })).toHaveAttribute('data-device', 'cold-store-0001');
    await user.keyboard('{Home}');
    const led = await findByRole('switch', { name: 'LED' });
    await user.keyboard('{Enter}');
    expect(led).toHaveFocus();
  });
});

describe('a selection', () => {
  const chosen = (container: HTMLElement) =>
    [...container.querySelectorAll('[aria-selected="true"]')].map((row) => (row as HTMLElement).dataset['device']);

  it('is made by clicks, with Ctrl and with Shift, and says what it is', async () => {
    const { app, container, user, findByText, getByRole, queryByRole } = await openFleet();
    const click = (device: string) => user.click(container.querySelector(`[data-device="${device}"]`) as Element);
    await click('cold-store-0001');
    await user.keyboard('{Control>}');
    await click('cold-store-0003');
    await user.keyboard('{/Control}');
    expect(chosen(container)).toEqual(['cold-store-0001', 'cold-store-0003']);
    await findByText('2 devices selected');
    await user.keyboard('{Shift>}');
    await click('cold-store-0004');
    await user.keyboard('{/Shift}');
    expect(chosen(container)).toEqual(['cold-store-0003', 'cold-store-0004']);
    const summary = within(getByRole('complementary', { name: 'Inspector: 2 devices' }));
    await summary.findByText('report_interval_s');
    await expectAccessible(container);
    await user.keyboard('{Escape}');
    expect(app.selection.size).toBe(0);
    expect(queryByRole('toolbar', { name: 'Selected devices' })).toBeNull();
  });

  it('is made with the keyboard, and survives sorting and searching', async () => {
    const { app, container, user, getByRole, findByText } = await openFleet();
    getByRole('grid').focus();
    await user.keyboard('{ArrowDown}{Shift>}{ArrowDown}{ArrowDown}{/Shift}');
    const ids = [...app.selection.ids];
    expect(ids).toHaveLength(3);
    await user.keyboard('{Control>}{ArrowDown}{/Control} ');
    expect(app.selection.size).toBe(4);
    app.fleet.sortBy('firmware');
    app.fleet.find({ tokens: ['tag:kitchen'], text: '' });
    await waitFor(() => expect(app.fleet.matching).toBeLessThan(60));
    expect([...app.selection.ids].slice(0, 3)).toEqual(ids);
    await user.click(await findByText(/^Select all \d+ that match$/));
    expect(app.selection.size).toBe(4 + app.fleet.matching);
    expect(chosen(container).length).toBeGreaterThan(0);
  });

  it('has everything with Ctrl-A, and opens the rollout dialog for it', async () => {
    const { app, user, getByRole, findByRole } = await openFleet();
    getByRole('grid').focus();
    await user.keyboard('{Control>}a{/Control}');
    expect(app.selection.size).toBe(60);
    const bar = within(await findByRole('toolbar', { name: 'Selected devices' }));
    await user.click(bar.getByRole('button', { name: 'Restart…' }));
    const asked = rolloutToPrepare.current;
    expect(asked?.command).toEqual({ name: 'restart', args: '{}' });
    expect(asked?.target.by === 'devices' && asked.target.devices).toHaveLength(60);
    closeRolloutDialog();
  });
});

describe('health', () => {
  it('is counted, and a click on a count filters', async () => {
    const { app, user, getByRole, container } = await openFleet();
    const chip = within(getByRole('group', { name: 'Presence' })).getByRole('button', { name: /^Online/ });
    await user.click(chip);
    expect(app.fleet.search.tokens).toEqual(['is:online']);
    expect(chip).toHaveAttribute('aria-pressed', 'true');
    await expectAccessible(container);
    await user.click(chip);
    expect(app.fleet.search.tokens).toEqual([]);
  });
});

describe('groups', () => {
  it('have heads with their counts, and fold', async () => {
    const { app, user, getByRole, findByRole, container } = await openFleet();
    await user.selectOptions(getByRole('combobox', { name: 'Group by' }), 'tag');
    const head = await findByRole('button', { name: 'Hide bench' });
    const { count } = app.fleet.list.groups[0] ?? { count: 0 };
    expect(head).toHaveTextContent(`bench ${count}`);
    await expectAccessible(container);
    const before = app.fleet.lines.count;
    await user.click(head);
    await findByRole('button', { name: 'Show bench' });
    expect(app.fleet.lines.count).toBe(before - count);
  });
});

describe('a list on its way', () => {
  it('gives the keyboard its own last row, and none of the list before', async () => {
    const { getByRole, app, user, backend } = await openFleet({ devices: 400 });
    const ids = (
      await backend.devices({ connection: 'demo', search: '', sort: 'device', order: 'ascending', group: null }, 0, 400)
    ).rows.map(({ device }) => device);
    const { deviceColumns } = backend;
    let answer = () => {};
    const held = new Promise<void>((resolve) => (answer = resolve));
    app.fleet.find({ tokens: [], text: 'kitchen' });
    await waitFor(() => expect(app.fleet.matching).toBeLessThan(400));
    backend.deviceColumns = async (...asked) => {
      await held;
      return deviceColumns.apply(backend, asked);
    };
    app.fleet.find({ tokens: [], text: '' });
    getByRole('grid').focus();
    await user.keyboard('{End}');
    await user.keyboard('{Enter}');
    expect(app.inspected.device).toBeNull();
    answer();
    await waitFor(() => expect(app.inspected.device).toBe(ids.at(-1)));
  });
});

describe('an id', () => {
  it('is cut in its middle where there is too little room, and named whole', async () => {
    const id = 'plant-05-unit-with-a-name-that-is-longer-than-any-06445';
    const { app, container, findByRole } = await openFleet();
    const { list, rows } = app.fleet;
    const first = rows.get(list.ids[0] ?? '');
    if (first) app.fleet.rows = new Map([...rows, [id, { ...first, device: id }]]);
    app.fleet.list = { ...list, ids: [id, ...list.ids.slice(1)] };
    const cell = await findByRole('gridcell', { name: id });
    expect(cell).toHaveTextContent(/^plant-05-unit-.*….*-any-06445$/);
    expect(cell).toHaveAttribute('title', id);
    await expectAccessible(container);
  });
});

describe('the LED', () => {
  it('moves only when the device reports it', async () => {
    const { inspector, user, container } = await openDevice('bench-0001', { fates: [CLIMBS] });
    const led = inspector.getByRole('switch', { name: 'LED' });
    const before = led.getAttribute('aria-checked');
    const wanted = before === 'true' ? 'off' : 'on';
    await user.click(led);
    await inspector.findByRole('group', { name: `led ${wanted}: Accepted` });
    expect(led).toHaveAttribute('aria-checked', before);
    expect(container.querySelector('.seat')).toBeInTheDocument();
    inspector.getByText(`You asked for ${wanted}. Not ${wanted} yet.`);
    inspector.getByText('The device has accepted it and not finished yet.');
    const ladder = await inspector.findByRole('group', { name: `led ${wanted}: Succeeded` });
    expect(ladder).toHaveAttribute('data-state', 'succeeded');
    await waitFor(() => expect(led).toHaveAttribute('aria-checked', String(wanted === 'on')));
    expect(container.querySelector('.seat')).not.toBeInTheDocument();
    await expectAccessible(container);
  });

  it('stays where it is when the device fails, and says why', async () => {
    const fates: Step[][] = [
      [...CLIMBS.slice(0, 3), { after: 5, change: { state: 'failed', message: '<b>burnt</b>' } }],
    ];
    const { inspector, user, container } = await openDevice('bench-0001', { fates: [...fates] });
    const led = inspector.getByRole('switch', { name: 'LED' });
    const before = led.getAttribute('aria-checked');
    await user.click(led);
    await inspector.findByText(/It said “<b>burnt<\/b>”/);
    expect(led).toHaveAttribute('aria-checked', before);
    expect(container.querySelector('.ladder b')).toBeNull();
  });

  it('can be waited for no longer', async () => {
    const { inspector, user } = await openDevice('bench-0001', { fates: [CLIMBS.slice(0, 2)] });
    await user.click(inspector.getByRole('switch', { name: 'LED' }));
    await user.click(await inspector.findByRole('button', { name: 'Stop waiting' }));
    await inspector.findByText('Waiting was stopped.');
  });

  it('answers a press before anything is sent, and takes a double click for one press', async () => {
    const { inspector, backend, container } = await openDevice('bench-0001', { fates: [CLIMBS] });
    const sent = vi.spyOn(backend, 'send');
    const led = inspector.getByRole('switch', { name: 'LED' });
    await fireEvent.mouseDown(led, { button: 0, detail: 1 });
    expect(container.querySelector('.seat')).toBeInTheDocument();
    await fireEvent.mouseUp(document.body);
    expect(container.querySelector('.seat')).not.toBeInTheDocument();
    expect(sent).not.toHaveBeenCalled();
    for (const detail of [1, 2]) {
      await fireEvent.mouseDown(led, { button: 0, detail });
      await fireEvent.mouseUp(led);
      await fireEvent.click(led, { detail });
      expect(container.querySelector('.seat')).toBeInTheDocument();
    }
    await inspector.findByRole('group', { name: /^led .*: Succeeded$/ });
    expect(sent).toHaveBeenCalledTimes(1);
  });

  it('stays where it is while the ladder is that of another command, which can be sent again where it failed', async () => {
    const failed: Step[] = [...CLIMBS.slice(0, 3), { after: 5, change: { state: 'failed', message: 'burnt' } }];
    const { inspector, user, backend } = await openDevice('bench-0001', { fates: [failed, CLIMBS] });
    const panel = inspector.getByRole('region', { name: 'LED' });
    const before = panel.previousElementSibling;
    await user.click(inspector.getByRole('button', { name: 'Refresh' }));
    const ladder = await inspector.findByRole('group', { name: 'config.get: Failed' });
    expect(panel).toContainElement(ladder);
    expect(panel.firstElementChild).toContainElement(inspector.getByRole('switch', { name: 'LED' }));
    expect(panel.previousElementSibling).toBe(before);
    expect(inspector.getAllByRole('group', { name: /^(led|config|restart)/ })).toHaveLength(1);
    await user.click(within(panel).getByRole('button', { name: 'Send again' }));
    await inspector.findByRole('group', { name: 'config.get: Succeeded' });
    const { commands } = await backend.device('demo', 'bench-0001');
    expect(commands[0]?.again_of).toBe(commands[1]?.id);
  });

  it('says why its command could not be sent again, and nothing of another command', async () => {
    const failed: Step[] = [...CLIMBS.slice(0, 3), { after: 5, change: { state: 'failed', message: 'burnt' } }];
    const { inspector, user, app, backend } = await openDevice('bench-0001', { fates: [failed] });
    await user.click(inspector.getByRole('button', { name: 'Refresh' }));
    await inspector.findByRole('group', { name: 'config.get: Failed' });
    backend.sendAgain = () => Promise.reject({ code: 'store', message: 'The disk is full.', hint: 'Make room.' });
    const everything = {
      connection: null,
      device: null,
      states: [],
      since: null,
      search: '',
      automatic: false,
      needs_attention: false,
      cursor: null,
    };
    const { commands } = await backend.history({ ...everything, limit: 100 });
    const other = commands.find(({ device }) => device !== 'bench-0001');
    if (other) await app.history.sendAgain(other);
    expect(app.history.againFailure).not.toBeNull();
    expect(inspector.queryByRole('alert')).toBeNull();
    await user.click(inspector.getByRole('button', { name: 'Send again' }));
    expect(await inspector.findByRole('alert')).toHaveTextContent('The disk is full. Make room.');
  });

  it('says when a command was not taken', async () => {
    const { inspector, user, backend } = await openDevice('bench-0001');
    backend.send = () => Promise.reject({ code: 'store', message: 'The disk is full.', hint: 'Make room.' });
    await user.click(inspector.getByRole('switch', { name: 'LED' }));
    expect(await inspector.findByRole('alert')).toHaveTextContent('The disk is full. Make room.');
  });
});

describe('a restart', () => {
  it('asks first and names the device', async () => {
    const { inspector, user, container } = await openDevice('bench-0001', {
      fates: [[...CLIMBS.slice(0, 3), { after: 5, change: { state: 'succeeded' }, effect: 'return' }]],
    });
    await user.click(inspector.getByRole('button', { name: 'Restart…' }));
    const dialog = within(await inspector.findByRole('dialog', { name: 'Restart bench-0001?' }));
    expect(dialog.getByRole('button', { name: 'Cancel' })).toHaveFocus();
    await expectAccessible(container);
    await user.keyboard('{Escape}');
    expect(inspector.queryByRole('dialog')).toBeNull();
    expect(inspector.getByRole('button', { name: 'Restart…' })).toHaveFocus();
    await user.click(inspector.getByRole('button', { name: 'Restart…' }));
    await user.click(await inspector.findByRole('button', { name: 'Restart bench-0001' }));
    await inspector.findByRole('group', { name: 'restart: Succeeded' });
  });
});

describe('any command', () => {
  beforeAll(() => import('../commands/CommandDialog.svelte'), 120_000);

  it('may be free text that nobody answers', async () => {
    const window = await openDevice('bench-0001');
    const { inspector, user, backend } = window;
    await user.click(inspector.getByRole('button', { name: 'Command…' }));
    const dialog = within(await window.findByRole('dialog', { name: 'Command for bench-0001' }));
    await user.click(await dialog.findByRole('option', { name: /Free text/ }));
    await user.type(await dialog.findByRole('textbox', { name: 'Text' }), 'open the valve');
    await user.click(dialog.getByRole('checkbox', { name: 'No answer expected' }));
    await user.click(dialog.getByRole('button', { name: 'Send' }));
    const ladder = await inspector.findByRole('group', { name: '“open the valve”: Unconfirmed' });
    expect(ladder).toHaveTextContent('The broker has it. No answer is expected. No device has confirmed it.');
    const { commands } = await backend.device('demo', 'bench-0001');
    expect(commands[0]).toMatchObject({ command: 'text', args: '{"text":"open the valve"}', state: 'unconfirmed' });
  });
});

describe('the configuration', () => {
  const fates: Step[][] = [[...CLIMBS.slice(0, 3), { after: 5, change: { state: 'succeeded' }, effect: 'config' }]];

  it('is changed now', async () => {
    const { inspector, user } = await openDevice('bench-0001', { fates: [...fates] });
    await user.click(inspector.getByRole('button', { name: /^Edit report_interval_s/ }));
    const field = inspector.getByRole('textbox', { name: 'report_interval_s after restart' });
    await user.clear(field);
    await user.type(field, '45{Enter}');
    inspector.getByText('1 change');
    await user.click(inspector.getByRole('button', { name: 'Apply now' }));
    await inspector.findByRole('group', { name: 'config.set: Succeeded' });
    await waitFor(() => expect(inspector.getAllByRole('cell', { name: '45' })).toHaveLength(2));
  });

  it('is changed for the next restart, and shown as different', async () => {
    const { inspector, user, container } = await openDevice('bench-0001', { fates: [...fates] });
    await user.click(inspector.getByRole('button', { name: /^Edit buzzer/ }));
    const field = inspector.getByRole('textbox', { name: 'buzzer after restart' });
    const turned = (field as HTMLInputElement).value === 'true' ? 'false' : 'true';
    await user.clear(field);
    await user.type(field, `${turned}{Enter}`);
    await user.click(inspector.getByRole('button', { name: 'On next restart' }));
    await waitFor(() => expect(container.querySelector('[data-key="buzzer"] .differs')).toHaveTextContent(turned));
  });

  it('gives the keyboard back to the value when its edit ends', async () => {
    const { inspector, user, backend } = await openDevice('bench-0001');
    const sent = vi.spyOn(backend, 'send');
    inspector.getByRole('button', { name: /^Edit report_interval_s/ }).focus();
    await user.keyboard('{Enter}45{Enter}');
    expect(inspector.getByRole('button', { name: 'Edit report_interval_s: 45, changed' })).toHaveFocus();
    await user.keyboard('{Enter}46{Escape}');
    expect(inspector.getByRole('button', { name: /^Edit report_interval_s: \d+$/ })).toHaveFocus();
    expect(sent).not.toHaveBeenCalled();
  });

  it('says of each value what is wrong with it', async () => {
    const { inspector, user, container } = await openDevice('bench-0001');
    for (const key of ['report_interval_s', 'buzzer']) {
      await user.click(inspector.getByRole('button', { name: new RegExp(`^Edit ${key}`) }));
      await user.keyboard('often');
    }
    const field = inspector.getByRole('textbox', { name: 'buzzer after restart' });
    expect(field).toHaveAccessibleDescription(/Enter true or false, not “often”/);
    expect(inspector.getAllByRole('alert')).toHaveLength(2);
    const ids = [...container.querySelectorAll('[id]')].map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
    await expectAccessible(container);
  });

  it('is kept while another device is looked at', async () => {
    const { inspector, user, app, getByText, findByRole, backend } = await openDevice('bench-0001', {
      fates: [...fates],
    });
    await user.click(inspector.getByRole('button', { name: /^Edit report_interval_s/ }));
    const field = inspector.getByRole('textbox', { name: 'report_interval_s after restart' });
    await user.clear(field);
    await user.type(field, '45{Enter}');
    inspector.getByText('1 change not applied');
    await user.click(getByText('cold-store-0001', { selector: '.device' }));
    const other = within(await findByRole('complementary', { name: 'Inspector: cold-store-0001' }));
    await other.findByRole('switch', { name: 'LED' });
    expect(other.queryByText(/not applied/)).toBeNull();
    expect(app.inspected.edits).toEqual({});
    await user.click(getByText('bench-0001', { selector: '.device' }));
    const again = within(await findByRole('complementary', { name: 'Inspector: bench-0001' }));
    await again.findByRole('button', { name: 'Edit report_interval_s: 45, changed' });
    await user.click(again.getByRole('button', { name: 'Apply now' }));
    await waitFor(() => expect(again.queryByText(/not applied/)).toBeNull());
    const { commands } = await backend.device('demo', 'bench-0001');
    expect(commands[0]?.args).toBe('{"changes":{"report_interval_s":45},"apply":"now"}');
  });

  it.each(['failed', 'rejected', 'timed_out', 'expired'] as const)(
    'keeps what was typed where the change %s',
    async (state) => {
      const refused: Step[] = [...CLIMBS.slice(0, 2), { after: 80, change: { state } }];
      const { inspector, user, container } = await openDevice('bench-0001', { fates: [refused, ...fates] });
      await user.click(inspector.getByRole('button', { name: /^Edit temp_high_c/ }));
      await user.keyboard('44{Enter}');
      await user.click(inspector.getByRole('button', { name: 'Apply now' }));
      await inspector.findByRole('button', { name: 'Edit temp_high_c: 44, asked for' });
      expect(inspector.queryByText(/not applied/)).toBeNull();
      await inspector.findByRole('button', { name: 'Edit temp_high_c: 44, changed' });
      inspector.getByText('1 change not applied');
      inspector.getByRole('heading', { name: 'config.set temp_high_c 44' });
      await expectAccessible(container);
      await user.click(inspector.getByRole('button', { name: 'Apply now' }));
      await waitFor(() => expect(inspector.getAllByRole('cell', { name: '44' })).toHaveLength(1));
      await waitFor(() => expect(inspector.queryByText(/not applied/)).toBeNull());
      await inspector.findByRole('button', { name: 'Edit temp_high_c: 44' });
    },
  );

  it('forgets what the device reports after all', async () => {
    const late: Step[] = [
      ...CLIMBS.slice(0, 2),
      { after: 5, change: { state: 'timed_out' } },
      { after: 400, change: { state: 'succeeded', late: true }, effect: 'config' },
    ];
    const { inspector, user, app } = await openDevice('bench-0001', { fates: [late] });
    app.inspected.edit('temp_high_c', '44');
    await user.click(inspector.getByRole('button', { name: 'Apply now' }));
    await inspector.findByRole('button', { name: 'Edit temp_high_c: 44, changed' });
    await inspector.findByRole('button', { name: 'Edit temp_high_c: 44' });
    expect(app.inspected.edits).toEqual({});
  });

  it('is applied to the device that it was sent to, though another is chosen meanwhile', async () => {
    const { app, backend } = await openDevice('bench-0001');
    const { inspected } = app;
    const { send } = backend;
    const waiting: (() => void)[] = [];
    backend.send = async (command) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return send.call(backend, command);
    };
    inspected.edit('report_interval_s', '45');
    const applied = inspected.apply('now');
    inspected.choose('demo', 'cold-store-0001');
    inspected.edit('buzzer', 'later');
    await waitFor(() => expect(waiting).toHaveLength(1));
    waiting[0]?.();
    await applied;
    expect(inspected.edits).toEqual({ buzzer: 'later' });
    inspected.choose('demo', 'bench-0001');
    expect(inspected.edits).toEqual({});
    // Not before it is known what kind of value it replaces.
    inspected.edit('buzzer', '5');
    expect(inspected.isReady).toBe(false);
  });

  it('refuses a value of another kind in words', async () => {
    const { inspector, user } = await openDevice('bench-0001');
    await user.click(inspector.getByRole('button', { name: /^Edit report_interval_s/ }));
    const field = inspector.getByRole('textbox', { name: 'report_interval_s after restart' });
    await user.clear(field);
    await user.type(field, 'often');
    inspector.getByText(/“often” is not a number/);
    expect(inspector.getByRole('button', { name: 'Apply now' })).toBeDisabled();
    await user.click(inspector.getByRole('button', { name: 'Discard' }));
    expect(inspector.queryByText(/is not a number/)).toBeNull();
  });

  it('forgets a device with its history, but not while it has something to do', async () => {
    // Its command does not end by itself.
    const { inspector, container, user, app, backend, queryByText, findByText } = await openDevice('bench-0001', {
      fates: [CLIMBS.slice(0, 2)],
    });
    const total = app.fleet.total;
    await user.click(inspector.getByRole('switch', { name: 'LED' }));
    await user.click(inspector.getByRole('button', { name: 'Forget this device…' }));
    const question = within(inspector.getByRole('dialog', { name: 'Forget bench-0001?' }));
    expect(question.getByRole('button', { name: 'Cancel' })).toHaveFocus();
    await expectAccessible(container);
    await user.click(question.getByRole('button', { name: 'Forget bench-0001' }));
    await findByText('Nothing was forgotten: bench-0001 has a command under way.');
    const led = app.inspected.detail?.commands[0];
    if (led) await app.inspected.stop(led, 'led');
    app.inspected.edit('report_interval_s', '45');
    await user.click(inspector.getByRole('button', { name: 'Forget this device…' }));
    await user.click(await inspector.findByRole('button', { name: 'Forget bench-0001' }));
    await waitFor(() => expect(app.inspected.device).toBeNull());
    await waitFor(() => expect(app.fleet.total).toBe(total - 1));
    expect(queryByText('bench-0001', { selector: '.device' })).toBeNull();
    expect(await backend.device('demo', 'bench-0001').catch(failureOf)).toEqual(
      expect.objectContaining({ code: 'not_found' }),
    );
    app.inspected.choose('demo', 'bench-0001');
    expect(app.inspected.edits).toEqual({});
  });

  it('shows what a device said that settled nothing', async () => {
    const { inspector, container, user } = await openDevice('bench-0001');
    const strays = within(await inspector.findByRole('region', { name: 'Unmatched answers' }));
    await user.click(strays.getByText('Has an unknown ID'));
    expect(strays.getByText('bench-0001/resp')).toBeVisible();
    await expectAccessible(container);
  });
});

describe('a device with other people’s firmware', () => {
  it('shows what it is, what it can do and what it reports, and no control that it has not', async () => {
    const { user, findByRole, findByText, container } = await openFleet({ lamp: true });
    await user.keyboard('/');
    await user.keyboard('kitchen-0001');
    await user.click(await findByText('kitchen/lamp', { selector: '.device .given' }));
    const inspector = within(await findByRole('complementary', { name: 'Inspector: kitchen-0001' }));
    await inspector.findByRole('heading', { name: 'kitchen-0001' });
    expect(inspector.getByRole('switch', { name: 'LED' })).toBeInTheDocument();
    expect(inspector.queryByRole('button', { name: 'Restart…' })).toBeNull();
    expect(inspector.queryByRole('region', { name: 'Configuration' })).toBeNull();
    const about = inspector.getByRole('region', { name: 'About this device' });
    for (const fact of ['Zigbee2MQTT', 'Philips LWA001', 'kitchen-0001']) expect(about).toHaveTextContent(fact);
    const commands = within(inspector.getByRole('region', { name: 'Commands of this device' }));
    expect(commands.getAllByRole('listitem').map((item) => item.textContent?.replace(/\s+/g, ' ').trim())).toEqual([
      'State ON Set…',
      'Brightness 120 Set…',
      'Colour mode xy Set…',
      'Identify reports nothing back Send…',
    ]);
    const settings = within(inspector.getByRole('region', { name: 'Settings of this device' }));
    expect(settings.getAllByRole('listitem').map((item) => item.textContent?.replace(/\s+/g, ' ').trim())).toEqual([
      'Power-on behaviour previous Set…',
    ]);
    expect(inspector.queryByText('Password')).toBeNull();
    await expectAccessible(container);

    // A number has the form that its range asks for.
    await user.click(commands.getByRole('button', { name: 'Set Brightness' }));
    const dialog = within(await findByRole('dialog', { name: 'Command for kitchen-0001' }));
    const value = await dialog.findByRole('textbox', { name: /^Value/ });
    await user.clear(value);
    await user.type(value, '300');
    await user.click(dialog.getByRole('button', { name: 'Send' }));
    await dialog.findByText(/254/);
    await user.clear(value);
    await user.type(value, '25');
    await user.click(dialog.getByRole('button', { name: 'Send' }));
    await waitFor(() => expect(container.querySelector('[role=dialog]')).toBeNull());
    await inspector.findByRole('heading', { name: /set brightness/ });
  });

  it('takes a password for its requests, shows only whether there is one, and removes it', async () => {
    const { backend, user, findByRole, findByText, container } = await openFleet({ lamp: true, lampPassword: true });
    const kept = vi.spyOn(backend, 'setDevicePassword');
    await user.keyboard('/');
    await user.keyboard('kitchen-0001');
    await user.click(await findByText('kitchen/lamp', { selector: '.device .given' }));
    const inspector = within(await findByRole('complementary', { name: 'Inspector: kitchen-0001' }));
    const set = () => inspector.findByRole('button', { name: 'Set the device password' });
    await inspector.findByText('Not set');
    await user.click(await set());
    const asked = () => findByRole('dialog', { name: 'Device password' });
    let dialog = within(await asked());
    expect(dialog.queryByRole('button', { name: 'Remove' })).toBeNull();
    await user.click(dialog.getByRole('button', { name: 'Save' }));
    await dialog.findByText('Enter the password that is set on the device.');
    expect(dialog.getByLabelText('Password')).toHaveAttribute('type', 'password');
    await expectAccessible(container);
    await user.type(dialog.getByLabelText('Password'), 'horse{Enter}');
    await inspector.findByText('Set for this device');
    expect(kept).toHaveBeenLastCalledWith('demo', 'kitchen-0001', 'horse');
    expect(document.body).not.toHaveTextContent('horse');
    await user.click(await set());
    dialog = within(await asked());
    await user.click(dialog.getByRole('button', { name: 'Remove' }));
    await inspector.findByText('Not set');
    await user.click(await set());
    dialog = within(await asked());
    await user.type(dialog.getByLabelText('Password'), 'horse');
    await user.click(dialog.getByRole('checkbox'));
    await user.click(dialog.getByRole('button', { name: 'Save' }));
    await inspector.findByText('Set for all devices');
    expect(kept).toHaveBeenLastCalledWith('demo', null, 'horse');
  });

  it('has only the actions that its dialect offers, in the palette, by keys and in the menu', async () => {
    const { app, backend, user, findByRole, findByText } = await openFleet({ lamp: true });
    const device = backend.device.bind(backend);
    backend.device = async (connection, id) => {
      const detail = await device(connection, id);
      return detail.described === null
        ? detail
        : { ...detail, commands: [], command_count: 0, described: { ...detail.described, can_switch: false } };
    };
    const offered = () => app.actions.list.flatMap(({ id }) => (id.startsWith('device.') ? [id.slice(7)] : []));
    await user.click(await findByText('bench-0001', { selector: '.device' }));
    await findByRole('button', { name: 'Restart…' });
    expect(offered()).toEqual(expect.arrayContaining(['led', 'restart', 'config', 'identify', 'log', 'showlog']));

    app.fleet.find({ tokens: [], text: 'kitchen-0001' });
    const name = await findByText('kitchen/lamp', { selector: '.device .given' });
    await user.click(name);
    const inspector = within(await findByRole('complementary', { name: 'Inspector: kitchen-0001' }));
    await inspector.findByText('Send a command to see its progress here.');
    expect(inspector.queryByRole('link', { name: 'Log' })).toBeNull();
    expect(offered()).toEqual(['command', 'charts', 'history', 'traffic', 'forget']);
    const sent = vi.spyOn(backend, 'send');
    await user.keyboard('lro');
    expect([app.route.screen, sent.mock.calls]).toEqual(['fleet', []]);
    await user.pointer({ keys: '[MouseRight]', target: name });
    const menu = within(await findByRole('menu', { name: 'Actions for this device' }));
    const items = menu.getAllByRole('menuitem').map((item) => item.querySelector('.cut')?.textContent);
    expect(items).not.toContainEqual(expect.stringMatching(/LED|Restart|Identify|configuration|log/));
    menu.getByRole('menuitem', { name: /^Forget kitchen-0001…/ });
  });
});
