import { waitFor, within } from '@testing-library/svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';

import type { Step } from '../../backend/fake/fate';
import { failureOf } from '../../state/failure';
import { expectAccessible, openFleet } from '../../test/window';

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

  it('is searched by words and tokens', async () => {
    const { getByRole, findByText, findByRole, user, container } = await openFleet();
    await user.keyboard('/');
    const field = getByRole('textbox', { name: 'Search devices' });
    expect(field).toHaveFocus();
    await user.keyboard('tag:kitchen 0003');
    await waitFor(() => expect(container.querySelectorAll('[data-device]')).toHaveLength(1));
    expect(container.querySelector('[data-device]')).toHaveAttribute('data-device', 'kitchen-0003');
    await user.keyboard('x');
    await findByText('No device matches');
    await user.click(await findByRole('button', { name: 'Show all devices' }));
    await findByText('bench-0001');
  });

  it('says of a token that no device can fit which there are', async () => {
    const { findByText, user, container } = await openFleet();
    await user.keyboard('/is:sideways ');
    await findByText('No device can have is:sideways: there are is:online, is:offline, is:unknown.');
    await expectAccessible(container);
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

describe('a list on its way', () => {
  it('gives the keyboard its own last row, and none of the list before', async () => {
    const { getByRole, app, user, backend } = await openFleet({ devices: 400 });
    const ids = (
      await backend.devices({ connection: 'demo', search: '', sort: 'device', order: 'ascending' }, 0, 400)
    ).rows.map(({ device }) => device);
    const { devices } = backend;
    let answer = () => {};
    const held = new Promise<void>((resolve) => (answer = resolve));
    app.fleet.find({ tokens: [], text: 'kitchen' });
    await waitFor(() => expect(app.fleet.matching).toBeLessThan(400));
    backend.devices = async (...asked) => {
      await held;
      return devices.apply(backend, asked);
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
    const [page] = app.fleet.pages.values();
    app.fleet.pages = new Map([[0, (page ?? []).map((row, i) => (i === 0 ? { ...row, device: id } : row))]]);
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
    inspector.getByText(`You asked for ${wanted}. Not yet so.`);
    inspector.getByText('The device has it, and has not said it is done.');
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
    expect(dialog.getByRole('button', { name: 'Leave it' })).toHaveFocus();
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
    expect(ladder).toHaveTextContent('The broker has it. No answer is expected. Nobody has said that it was done.');
    const { commands } = await backend.device('demo', 'bench-0001');
    expect(commands[0]).toMatchObject({ command: 'text', args: { text: 'open the valve' }, state: 'unconfirmed' });
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
    expect(field).toHaveAccessibleDescription(/write true or false, not “often”/);
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
    expect(commands[0]?.args).toEqual({ changes: { report_interval_s: 45 }, apply: 'now' });
  });

  it.each(['failed', 'rejected', 'timed_out', 'expired'])('keeps what was typed where the change %s', async (state) => {
    const refused: Step[] = [...CLIMBS.slice(0, 2), { after: 80, change: { state } }];
    const { inspector, user, container } = await openDevice('bench-0001', { fates: [refused, ...fates] });
    await user.click(inspector.getByRole('button', { name: /^Edit temp_high_c/ }));
    await user.keyboard('44{Enter}');
    await user.click(inspector.getByRole('button', { name: 'Apply now' }));
    await inspector.findByRole('button', { name: 'Edit temp_high_c: 44, asked for' });
    expect(inspector.queryByText(/not applied/)).toBeNull();
    await inspector.findByRole('button', { name: 'Edit temp_high_c: 44, changed' });
    inspector.getByText('1 change not applied');
    expect(inspector.getByText(/^Asked for:/)).toHaveTextContent('Asked for: temp_high_c 44');
    inspector.getByText('config.set temp_high_c 44');
    await expectAccessible(container);
    await user.click(inspector.getByRole('button', { name: 'Apply now' }));
    await waitFor(() => expect(inspector.getAllByRole('cell', { name: '44' })).toHaveLength(1));
    await waitFor(() => expect(inspector.queryByText(/not applied/)).toBeNull());
    await inspector.findByRole('button', { name: 'Edit temp_high_c: 44' });
  });

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
    let taken: () => void = () => undefined;
    backend.send = async (command) => {
      await new Promise<void>((resolve) => (taken = resolve));
      return send.call(backend, command);
    };
    inspected.edit('report_interval_s', '45');
    const applied = inspected.apply('now');
    inspected.choose('demo', 'cold-store-0001');
    inspected.edit('buzzer', 'later');
    taken();
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
    inspector.getByText(/It is a number: “often” is not one/);
    expect(inspector.getByRole('button', { name: 'Apply now' })).toBeDisabled();
    await user.click(inspector.getByRole('button', { name: 'Discard' }));
    expect(inspector.queryByText(/is not one/)).toBeNull();
  });

  it('forgets a device with its history, but not while it has something to do', async () => {
    // Its command does not end by itself.
    const { inspector, container, user, app, backend, queryByText } = await openDevice('bench-0001', {
      fates: [CLIMBS.slice(0, 2)],
    });
    const total = app.fleet.total;
    await user.click(inspector.getByRole('switch', { name: 'LED' }));
    await user.click(inspector.getByRole('button', { name: 'Forget this device…' }));
    const question = within(inspector.getByRole('dialog', { name: 'Forget bench-0001?' }));
    expect(question.getByRole('button', { name: 'Keep it' })).toHaveFocus();
    await expectAccessible(container);
    await user.click(question.getByRole('button', { name: 'Forget bench-0001' }));
    await question.findByText(/still has a command under way/);
    const led = app.inspected.detail?.commands[0];
    if (led) await app.inspected.stop(led, 'led');
    app.inspected.edit('report_interval_s', '45');
    await user.click(question.getByRole('button', { name: 'Forget bench-0001' }));
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
    const strays = within(await inspector.findByRole('region', { name: 'Settled nothing' }));
    await user.click(strays.getByText('Names an id that nobody here knows'));
    expect(strays.getByText('bench-0001/resp')).toBeVisible();
    await expectAccessible(container);
  });
});
