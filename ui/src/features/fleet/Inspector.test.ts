import { waitFor, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';

import { failureOf } from '../../state/failure';
import { openDevice, STEPS } from '../../test/device';
import { expectAccessible, openFleet } from '../../test/window';

describe('the inspector', () => {
  it('forgets a device with its history, but not while it has something to do', async () => {
    // Its command does not end by itself.
    const { inspector, container, user, app, backend, queryByText, findByText } = await openDevice('bench-0001', {
      fates: [STEPS.slice(0, 2)],
    });
    const total = app.fleet.total;
    await user.click(inspector.getByRole('switch', { name: 'LED' }));
    await user.click(inspector.getByRole('button', { name: 'Forget this device…' }));
    const question = within(inspector.getByRole('dialog', { name: 'Forget bench-0001?' }));
    expect(question.getByRole('button', { name: 'Cancel' })).toHaveFocus();
    await expectAccessible(container);
    await user.click(question.getByRole('button', { name: 'Forget bench-0001' }));
    await findByText('Nothing was forgotten: bench-0001 has an unfinished command.');
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

  it('says for how long a device has been online', async () => {
    const { app, backend, inspector } = await openDevice('bench-0001');
    const device = backend.device.bind(backend);
    vi.spyOn(backend, 'device').mockImplementation(async (connection, id) => {
      const detail = await device(connection, id);
      return { ...detail, row: { ...detail.row, presence: 'online', presence_since: Date.now() - 44_000 } };
    });
    app.inspected.refresh();
    await inspector.findByText(/^Online 4[4-9] s$/);
  });

  it('says that a device sends too much in a line that is always there', async () => {
    const { app, backend, container, inspector } = await openDevice('bench-0001');
    const places = () => [...container.querySelectorAll('.inspector header > *')].map(({ className }) => className);
    const before = places();
    const device = backend.device.bind(backend);
    vi.spyOn(backend, 'device').mockImplementation(async (connection, id) => {
      const detail = await device(connection, id);
      return { ...detail, row: { ...detail.row, over_rate: 1_200 } };
    });
    app.inspected.refresh();
    const remark = await inspector.findByText('1,200 messages per second: not all are kept');
    expect(remark).toHaveAttribute(
      'title',
      expect.stringMatching(/^Sends 1,200 messages per second\. Wilco reads only/),
    );
    app.inspected.edit('report_interval_s', '45');
    await inspector.findByText('1 change not applied');
    expect(places()).toEqual(before);
    await expectAccessible(container);
  });

  it('filters the list by a tag that is clicked', async () => {
    const { app, inspector, user } = await openDevice('bench-0001');
    const before = app.fleet.matching;
    const about = within(inspector.getByRole('region', { name: 'About' }));
    await user.click(about.getByTitle('Reported by the device. Show only devices with the tag bench'));
    await waitFor(() => expect(app.fleet.matching).toBeLessThan(before));
    expect(app.fleet.search.tokens).toEqual(['tag:bench']);
    // A second click takes nothing away.
    await user.click(about.getByTitle('Reported by the device. Show only devices with the tag bench'));
    expect(app.fleet.search.tokens).toEqual(['tag:bench']);
  });

  it('shows unmatched answers of a device', async () => {
    const { inspector, container, user } = await openDevice('bench-0001');
    const unmatched = within(await inspector.findByRole('region', { name: 'Unmatched answers' }));
    await user.click(unmatched.getByText('Has an unknown ID'));
    expect(unmatched.getByText('bench-0001/resp')).toBeVisible();
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
      'Colour Set…',
      'Colour mode xy Set…',
      'Identify not reported Send…',
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

  it('says before a command is sent what it reports already, and that it will not confirm it', async () => {
    // Its command does not end by itself.
    const fates = [STEPS.slice(0, 2)];
    const { backend, user, findByRole, findByText, container } = await openFleet({ lamp: true, fates });
    const sent = vi.spyOn(backend, 'send');
    await user.keyboard('/');
    await user.keyboard('kitchen-0001');
    await user.click(await findByText('kitchen/lamp', { selector: '.device .given' }));
    const inspector = within(await findByRole('complementary', { name: 'Inspector: kitchen-0001' }));
    const commands = within(await inspector.findByRole('region', { name: 'Commands of this device' }));
    const open = async (button: string) => {
      await user.click(commands.getByRole('button', { name: button }));
      return within(await findByRole('dialog', { name: 'Command for kitchen-0001' }));
    };
    let dialog = await open('Send Identify');
    const silent = 'kitchen/lamp will not confirm it. Its discovery names no state topic, so it cannot report back.';
    expect(await dialog.findByText(silent)).toBeVisible();
    await user.click(dialog.getByRole('button', { name: 'Cancel' }));
    dialog = await open('Set State');
    const already = /^kitchen\/lamp already reports ON\. Many devices report nothing if nothing changes/;
    await user.click(await dialog.findByRole('checkbox', { name: /^On/ }));
    expect(await dialog.findByText(already)).toBeVisible();
    await expectAccessible(container);
    await user.click(dialog.getByRole('checkbox', { name: /^On/ }));
    await waitFor(() => expect(dialog.queryByText(already)).toBeNull());
    await user.click(dialog.getByRole('button', { name: 'Cancel' }));
    expect(sent).not.toHaveBeenCalled();

    // A lamp that is on, and was asked to go off: the next press asks for what it reports.
    const led = inspector.getByRole('switch', { name: 'LED' });
    expect(inspector.queryByText('already ON')).toBeNull();
    await user.click(led);
    const remark = await inspector.findByText('already ON');
    expect(remark).toHaveAttribute('title', expect.stringMatching(already));
    expect(led).toHaveAccessibleDescription(/already ON$/);
    await expectAccessible(container);
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
    expect(inspector.queryByRole('button', { name: 'Log' })).toBeNull();
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
