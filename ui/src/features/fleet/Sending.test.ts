import { fireEvent, waitFor, within } from '@testing-library/svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';

import type { Step } from '../../backend/fake/fate';
import { openDevice, STEPS } from '../../test/device';
import { expectAccessible, openFleet } from '../../test/window';

describe('the LED in a row', () => {
  const rowOf = (container: Element, device: string) =>
    container.querySelector<HTMLElement>(`[data-device="${device}"]`) as HTMLElement;

  it('is switched without choosing its device, and moves only when that reports it', async () => {
    const { app, backend, container, user } = await openFleet({ fates: [STEPS] });
    const sent = vi.spyOn(backend, 'send');
    const row = rowOf(container, 'bench-0001');
    expect(within(row).queryByRole('switch')).not.toBeInTheDocument();
    await user.hover(row);
    const led = await within(row).findByRole('switch', { name: 'LED of bench-0001' });
    const before = led.getAttribute('aria-checked');
    await user.click(led);
    expect(led).toHaveAttribute('aria-busy', 'true');
    expect(led).toHaveAttribute('aria-checked', before);
    await waitFor(() => expect(sent).toHaveBeenCalledOnce());
    expect(sent.mock.lastCall?.[0]).toMatchObject({ devices: ['bench-0001'], command: 'led' });
    expect(app.inspected.device).toBeNull();
    expect(app.selection.size).toBe(0);
    await waitFor(() => expect(led).toHaveAttribute('aria-checked', String(before !== 'true')));
    expect(led).toHaveAttribute('aria-busy', 'false');
    await expectAccessible(container);
  });

  it('is sent on and off by a double click, in this order', async () => {
    const { backend, container, user } = await openFleet({ fates: [STEPS, STEPS] });
    const sent = vi.spyOn(backend, 'send');
    const row = rowOf(container, 'bench-0001');
    await user.hover(row);
    const led = await within(row).findByRole('switch', { name: 'LED of bench-0001' });
    const first = led.getAttribute('aria-checked') !== 'true';
    await user.dblClick(led);
    await waitFor(() => expect(sent).toHaveBeenCalledTimes(2));
    expect(sent.mock.calls.map(([command]) => command.args)).toEqual([
      JSON.stringify({ on: first }),
      JSON.stringify({ on: !first }),
    ]);
  });

  it('is not there for a device that has none, and is refused over a read-only connection', async () => {
    const { app, backend, container, user } = await openFleet();
    const original = backend.deviceRows.bind(backend);
    backend.deviceRows = async (connection, devices) =>
      (await original(connection, devices)).map((row) => ({ ...row, can_switch: row.device !== 'bench-0001' }));
    app.fleet.refresh();
    await waitFor(() => expect(app.fleet.rows.get('bench-0001')?.can_switch).toBe(false));
    const row = rowOf(container, 'bench-0001');
    await user.hover(row);
    await within(row).findByTitle('Actions');
    expect(within(row).queryByRole('switch')).not.toBeInTheDocument();

    const sent = vi.spyOn(backend, 'send');
    app.connections.list = app.connections.list.map((one) => ({ ...one, mode: 'read_only' as const }));
    const other = rowOf(container, 'cold-store-0001');
    await user.hover(other);
    const led = await within(other).findByRole('switch', { name: 'LED of cold-store-0001' });
    expect(led).toHaveAttribute('aria-disabled', 'true');
    await user.click(led);
    expect(sent).not.toHaveBeenCalled();
  });

  it('asks first over a protected connection, and sends nothing more where that is cancelled', async () => {
    const { app, backend, container, findByRole, user } = await openFleet();
    backend.checkCommand = async () => ({ refused: null, confirmation: 'ask', devices: [] });
    const sent = vi.spyOn(backend, 'send');
    const row = rowOf(container, 'bench-0001');
    await user.hover(row);
    const led = await within(row).findByRole('switch', { name: 'LED of bench-0001' });
    await user.dblClick(led);
    await user.click(await findByRole('button', { name: 'Cancel' }));
    // Over the question the pointer was not over the row.
    await user.hover(row);
    const again = await within(row).findByRole('switch', { name: 'LED of bench-0001' });
    expect(again).toHaveAttribute('aria-busy', 'false');
    expect(app.sending.question).toBeNull();
    expect(sent).not.toHaveBeenCalled();
  });

  it('is in the row that the keyboard is at, whose keys stay as they are', async () => {
    const { container, findByRole, getByRole, user } = await openFleet();
    getByRole('grid').focus();
    await user.keyboard('{ArrowDown}');
    const row = rowOf(container, 'bench-0001');
    expect(row).toHaveAttribute('aria-selected', 'true');
    expect(row.querySelector('.row-led')).toBeInTheDocument();
    expect(getByRole('grid')).toHaveFocus();
    const led = await findByRole('switch', { name: 'LED' });
    await user.keyboard('{Enter}');
    expect(led).toHaveFocus();
  });
});

describe('the LED', () => {
  it('moves only when the device reports it', async () => {
    const { inspector, user, container } = await openDevice('bench-0001', { fates: [STEPS] });
    const led = inspector.getByRole('switch', { name: 'LED' });
    const before = led.getAttribute('aria-checked');
    const wanted = before === 'true' ? 'off' : 'on';
    await user.click(led);
    await inspector.findByRole('group', { name: `led ${wanted}: Accepted` });
    expect(led).toHaveAttribute('aria-checked', before);
    expect(container.querySelector('.seat')).toBeInTheDocument();
    inspector.getByText(`You requested ${wanted}. Not ${wanted} yet.`);
    inspector.getByText('The device has accepted it but has not finished.');
    const ladder = await inspector.findByRole('group', { name: `led ${wanted}: Succeeded` });
    expect(ladder).toHaveAttribute('data-state', 'succeeded');
    await waitFor(() => expect(led).toHaveAttribute('aria-checked', String(wanted === 'on')));
    expect(container.querySelector('.seat')).not.toBeInTheDocument();
    await expectAccessible(container);
  });

  it('stays where it is when the device fails, and says why', async () => {
    const fates: Step[][] = [
      [...STEPS.slice(0, 3), { after: 5, change: { state: 'failed', message: '<b>burnt</b>' } }],
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
    const { inspector, user } = await openDevice('bench-0001', { fates: [STEPS.slice(0, 2)] });
    await user.click(inspector.getByRole('switch', { name: 'LED' }));
    await user.click(await inspector.findByRole('button', { name: 'Stop waiting' }));
    await inspector.findByText('Stopped waiting.');
  });

  it('answers a press before anything is sent, and takes a double click for one press', async () => {
    const { inspector, backend, container } = await openDevice('bench-0001', { fates: [STEPS] });
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

  it('keeps the focus while its command is written, and is pressed once until then', async () => {
    const { inspector, backend, user } = await openDevice('bench-0001', { fates: [STEPS, STEPS] });
    const led = inspector.getByRole('switch', { name: 'LED' });
    const send = backend.send.bind(backend);
    let letGo = () => {};
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const sent = vi.spyOn(backend, 'send').mockImplementation((command) => held.then(() => send(command)));
    led.focus();
    await user.keyboard('{Enter}');
    await waitFor(() => expect(sent).toHaveBeenCalledOnce());
    expect(led).toBeEnabled();
    expect(led).toHaveFocus();
    await user.keyboard('{Enter}');
    await user.click(led);
    letGo();
    await inspector.findByRole('group', { name: /^led .*: Succeeded$/ });
    expect(sent).toHaveBeenCalledOnce();
  });

  it('stays where it is while the ladder is that of another command, which can be sent again where it failed', async () => {
    const failed: Step[] = [...STEPS.slice(0, 3), { after: 5, change: { state: 'failed', message: 'burnt' } }];
    const { inspector, user, backend } = await openDevice('bench-0001', { fates: [failed, STEPS] });
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
    const failed: Step[] = [...STEPS.slice(0, 3), { after: 5, change: { state: 'failed', message: 'burnt' } }];
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
    if (other) await app.history.unfolded.sendAgain(other);
    expect(app.history.unfolded.againFailure).not.toBeNull();
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
      fates: [[...STEPS.slice(0, 3), { after: 5, change: { state: 'succeeded' }, effect: 'return' }]],
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
