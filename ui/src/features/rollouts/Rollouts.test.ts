import { fireEvent, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';

import type { NewRollout } from '../../backend/bindings/NewRollout';
import { view } from '../../backend/fake/connections';
import { expectAccessible, openFleet, openWindow } from '../../test/window';
import { newRollout } from '../../test/rollouts';
import { startRolloutDialog, type RolloutToPrepare } from './start.svelte';

const QUICK = { rolloutSpeed: 40 };
const EVERY: RolloutToPrepare['target'] = { by: 'search', search: '' };
const LED_ON = { name: 'led', args: '{"on":true}' };

async function openRollouts(options = {}) {
  const window = await openFleet({ ...QUICK, ...options });
  await window.user.click(window.getByRole('link', { name: /^Rollouts/ }));
  return window;
}

/** The window with a dialog for some devices, and what the engine is asked to start. */
async function openDialog(rollout: Partial<RolloutToPrepare> = {}, options = {}) {
  const window = await openFleet({ ...QUICK, ...options });
  const started = vi.spyOn(window.backend, 'startRollout');
  startRolloutDialog({ connection: 'demo', target: EVERY, command: LED_ON, ...rollout });
  const dialog = await window.findByRole('dialog', { name: /rollout/ });
  return { ...window, dialog, inside: within(dialog), request: () => started.mock.calls[0]?.[0] as NewRollout };
}

/** The page of a rollout that really runs. */
async function openPage(rollout: Partial<NewRollout> = {}, options = {}) {
  const window = await openRollouts(options);
  const view = await window.backend.startRollout(newRollout(rollout));
  await window.user.click(await window.findByRole('link', { name: new RegExp(`Rollout ${view.number}`) }));
  await window.findByRole('treegrid', { name: 'Devices of this rollout' });
  return { ...window, view };
}

describe('what follows a rollout', () => {
  it('puts back what it changed, without a command to fill in', async () => {
    const command = { ...newRollout().command, name: 'config.set', args: '{"changes":{"buzzer":false},"apply":"now"}' };
    const { user, findByRole, getByRole, backend } = await openPage({ command });
    await waitFor(() => expect(getByRole('button', { name: 'More' })).toBeVisible());
    await waitFor(async () => expect((await backend.rollouts())[0]?.state).toBe('finished'));
    await user.click(getByRole('button', { name: 'More' }));
    await user.click(await findByRole('button', { name: 'Put back the earlier configuration…' }));
    const dialog = await findByRole('dialog', { name: 'Follow-up rollout' });
    const inside = within(dialog);
    await inside.findByRole('heading', { name: 'Put back the earlier configuration' });
    await inside.findByText(/the values that it had before rollout 1/);
    expect(inside.queryByRole('button', { name: 'Change' })).toBeNull();
    await expectAccessible(dialog);
    const started = vi.spyOn(backend, 'startRollout');
    await user.click(await inside.findByRole('button', { name: /^Send to|^Put back/ }));
    await waitFor(() => expect(started).toHaveBeenCalled());
    expect(started.mock.calls[0]?.[0]).toMatchObject({
      target: { by: 'members', which: 'changed' },
      follows: { reason: 'put_back' },
      command: { name: 'config.set', args: '{}' },
    });
  });
});

describe('a broadcast', () => {
  it('is one publish for all, without stages or limits', async () => {
    const { inside, user, request } = await openDialog();
    await user.click(await inside.findByRole('radio', { name: 'One for all, by broadcast' }));
    expect(inside.queryByRole('radio', { name: 'All at once' })).toBeNull();
    await user.click(await inside.findByRole('button', { name: /^Send to \d+ devices/ }));
    await waitFor(() => expect(request()).toBeDefined());
    expect(request()).toMatchObject({
      target: { by: 'broadcast', group: null, search: '' },
      stages: [],
      rate: null,
      halt: null,
      gate: null,
    });
  });

  it('goes to a group by its name', async () => {
    const { inside, user, request } = await openDialog();
    await user.click(await inside.findByRole('radio', { name: 'One for a group' }));
    await user.type(inside.getByRole('textbox', { name: 'Group' }), 'hall/3');
    await inside.findByText('Enter one level of a topic: the name.');
    await user.clear(inside.getByRole('textbox', { name: 'Group' }));
    await user.type(inside.getByRole('textbox', { name: 'Group' }), 'hall-3');
    await user.click(await inside.findByRole('button', { name: /^Send to \d+ devices/ }));
    await waitFor(() => expect(request()).toBeDefined());
    expect(request().target).toEqual({ by: 'broadcast', group: 'hall-3', search: '' });
  });
});

describe('closing the window', () => {
  it('names a rollout that is filled in', async () => {
    const { app, inside, user } = await openDialog();
    expect(app.closeGuard.unsaved).toEqual([]);
    await user.click(await inside.findByRole('radio', { name: 'Custom stages' }));
    expect(app.closeGuard.unsaved).toEqual(['Your rollout of LED, not started']);
    await user.click(inside.getByRole('button', { name: 'Cancel' }));
    expect(app.closeGuard.unsaved).toEqual([]);
  });
});

describe('the list', () => {
  it('teaches what a rollout is while there is none', async () => {
    const { findByText, container, getAllByRole, user, findByRole } = await openRollouts();
    await findByText('No rollout yet');
    await expectAccessible(container);
    await user.click(getAllByRole('button', { name: 'Start a rollout…' })[0] as HTMLElement);
    await findByRole('dialog', { name: 'New rollout' });
  });

  it('shows each rollout as it goes on, and filters them by state', async () => {
    const { backend, findByRole, getByRole, queryByText, user, container, findByText } = await openRollouts();
    await backend.startRollout(newRollout({ name: 'Lights on' }));
    const link = await findByRole('link', { name: /Lights on Rollout 1/ });
    await waitFor(() => expect(link).toHaveTextContent('Finished'));
    await expectAccessible(container);
    await user.click(getByRole('button', { name: 'Stopped 0' }));
    await findByText('No rollout is stopped');
    expect(queryByText('Lights on')).toBeNull();
    await user.click(getByRole('button', { name: 'Finished 1' }));
    await findByText('Lights on');
  });

  it('says in the rail what runs and what has halted', async () => {
    const { backend, findByRole } = await openFleet({ rolloutSpeed: 1 });
    const halt = { above: { unit: 'members' as const, count: 0 }, after: 1, count_timeouts: true };
    await backend.startRollout(newRollout({ rate: 1 }));
    await findByRole('link', { name: /^Rollouts.*1 running/ });
    const target = { by: 'search' as const, search: 'is:offline' };
    await backend.startRollout(newRollout({ target, halt }));
    await findByRole('link', { name: /^Rollouts.*1 halted/ });
  });
});

describe('the dialog', () => {
  it('sends what is harmless with one press', async () => {
    const { dialog, inside, user, request, queryByRole } = await openDialog();
    const send = await inside.findByRole('button', { name: /^Send to \d+ devices/ });
    await inside.findByText('Messages', { selector: 'dt' });
    await expectAccessible(dialog);
    await user.click(send);
    await waitFor(() => expect(queryByRole('dialog', { name: /rollout/ })).toBeNull());
    expect(request()).toMatchObject({ connection: 'demo', target: EVERY, command: LED_ON, stages: [], halt: null });
  });

  it('lets the command be chosen, and plans once it is complete', async () => {
    const { inside, user } = await openDialog({ command: undefined as never });
    await user.click(await inside.findByRole('option', { name: /LED/ }));
    await inside.findByText('Complete the command to see what it would do.');
    await user.click(await inside.findByRole('checkbox', { name: 'On' }));
    await inside.findByText('Messages', { selector: 'dt' });
  });

  it('says who is offline and who is as asked already, and leaves them out', async () => {
    const { backend, inside, user, request } = await openDialog();
    const plan = await backend.planRollout(newRollout());
    expect(plan.offline * plan.already).toBeGreaterThan(0);
    await inside.findByText(new RegExp(plan.already_examples[0] ?? 'none'));
    await user.click(inside.getByRole('checkbox', { name: 'Leave out already as asked' }));
    await user.click(inside.getByRole('checkbox', { name: 'Leave out offline' }));
    const left = await backend.planRollout(newRollout({ leave_out: { already: true, offline: true, busy: false } }));
    await user.click(await inside.findByRole('button', { name: `Send to ${left.members} devices` }));
    await waitFor(() => expect(request()?.leave_out).toEqual({ already: true, offline: true, busy: false }));
  });

  it('goes in stages, waits between them, and halts by itself', async () => {
    const { inside, user, request, findByRole } = await openDialog();
    await user.click(await inside.findByRole('radio', { name: '10, 10 %, the rest' }));
    expect(inside.getByRole('checkbox', { name: 'Halt when too many devices fail' })).toBeChecked();
    await user.click(inside.getByRole('radio', { name: 'Ask me' }));
    await inside.findByText('until you go on');
    await user.click(inside.getByRole('button', { name: /^Send to/ }));
    await waitFor(() => expect(request()).toBeDefined());
    expect(request()).toMatchObject({
      stages: [
        { unit: 'devices', count: 10 },
        { unit: 'percent', percent: 10 },
        { unit: 'percent', percent: 100 },
      ],
      between: { then: 'ask' },
      halt: { above: { unit: 'percent', percent: 5 }, after: 20, count_timeouts: true },
    });
    // Several stages are worth a page.
    await findByRole('heading', { name: /led on Rollout 1/ });
  });

  it('says what is wrong with stages of one’s own, and sends nothing', async () => {
    const { inside, user, request } = await openDialog();
    await user.click(await inside.findByRole('radio', { name: 'Custom stages' }));
    const sizes = inside.getByRole('textbox', { name: 'Sizes' });
    await user.clear(sizes);
    await user.type(sizes, '10, many');
    await inside.findByText('“many” is neither a number of devices nor a percentage.');
    await user.click(inside.getByRole('button', { name: /^Send to/ }));
    expect(request()).toBeUndefined();
  });

  it('keeps what is seldom needed folded, and hands it all over', async () => {
    const { inside, user, request, dialog } = await openDialog();
    expect(inside.queryByRole('textbox', { name: 'Name' })).toBeNull();
    await user.click(await inside.findByRole('button', { name: /More options/ }));
    await user.type(inside.getByRole('textbox', { name: 'Name' }), 'Night');
    await user.type(inside.getByRole('textbox', { name: 'Note' }), 'Asked by the shift lead');
    await user.type(inside.getByRole('textbox', { name: 'Rate, a second' }), '500');
    await user.selectOptions(inside.getByRole('combobox', { name: 'While a device is offline' }), 'hold_here');
    await user.click(inside.getByRole('checkbox', { name: 'Only in maintenance hours' }));
    await user.click(inside.getByRole('checkbox', { name: 'Gate each stage on a measurement' }));
    await user.type(inside.getByRole('textbox', { name: 'Measurement' }), 'temperature');
    await user.type(inside.getByRole('textbox', { name: 'At most' }), '8');
    await expectAccessible(dialog);
    // The broker's limits are said before.
    await inside.findByText(/500 a second is not reached/);
    await user.click(inside.getByRole('button', { name: /^Send to/ }));
    await waitFor(() => expect(request()).toBeDefined());
    expect(request()).toMatchObject({
      name: 'Night',
      note: 'Asked by the shift lead',
      rate: 500,
      gate: { series: 'temperature', min: null, max: 8, for_ms: 600_000 },
      hours: { from_minute: 1_320, until_minute: 360 },
      command: { delivery: 'hold_here' },
    });
  });

  it('shows requests as they would be published', async () => {
    const { inside, user } = await openDialog();
    await user.click(await inside.findByRole('button', { name: /^Dry run/ }));
    expect((await inside.findAllByText(/\/req$/)).length).toBe(5);
  });

  it('wants the number typed before something dangerous goes to more than 20', async () => {
    const { inside, user, request, backend } = await openDialog({ command: { name: 'restart', args: '{}' } });
    const { members } = await backend.planRollout(newRollout());
    const go = await inside.findByRole('button', { name: `Restart: ${members} devices` });
    expect(go).toBeDisabled();
    const number = inside.getByRole('textbox', { name: `Type ${members}` });
    await user.type(number, '7');
    await inside.findByText('This is not the number of devices.');
    expect(go).toBeDisabled();
    await user.clear(number);
    await user.type(number, String(members));
    await user.click(go);
    await waitFor(() => expect(request()?.command.name).toBe('restart'));
  });

  it('wants the number of failed devices too, where no plan can be had', async () => {
    const { backend, findByRole, app } = await openFleet(QUICK);
    const restart = { ...newRollout().command, name: 'restart', args: '{}' };
    const { id } = await backend.startRollout(newRollout({ command: restart, rate: 1 }));
    await findByRole('link', { name: /^Rollouts.*running/ });
    await backend.actOnRollout(id, 'stop');
    backend.planRollout = async () => Promise.reject({ code: 'internal', message: 'No plan.', hint: null });
    const target = { by: 'members' as const, rollout: id, which: 'all' as const };
    startRolloutDialog({ connection: 'demo', target, command: { name: 'restart', args: '{}' } });
    const dialog = within(await findByRole('dialog', { name: 'New rollout' }));
    await dialog.findByText('No plan.');
    expect(await dialog.findByRole('button', { name: 'Restart: 60 devices' })).toBeDisabled();
    expect(app.route.screen).toBe('fleet');
  });

  it('does not ask for the number where few are meant, and names the devices', async () => {
    const devices = ['bench-0001', 'kitchen-0001'];
    const target = { by: 'devices' as const, devices };
    const { inside, dialog } = await openDialog({ target, command: { name: 'restart', args: '{}' } });
    expect(await inside.findByRole('button', { name: 'Restart: 2 devices' })).toBeEnabled();
    expect(dialog).toHaveTextContent('interrupts what a device is doing now. bench-0001, kitchen-0001.');
  });

  it('says why the engine does not take it', async () => {
    const { backend, inside, user } = await openDialog();
    backend.startRollout = async () => Promise.reject({ code: 'invalid', message: 'The disk is full.', hint: null });
    await user.click(await inside.findByRole('button', { name: /^Send to/ }));
    await inside.findByText('The disk is full.');
  });

  it('goes on where it was left', async () => {
    const { inside, user, queryByRole, findByRole } = await openDialog();
    await user.click(await inside.findByRole('radio', { name: 'Custom stages' }));
    await user.keyboard('{Escape}');
    await waitFor(() => expect(queryByRole('dialog', { name: /rollout/ })).toBeNull());
    startRolloutDialog({ connection: 'demo', target: EVERY, command: LED_ON });
    const again = within(await findByRole('dialog', { name: 'New rollout' }));
    expect(await again.findByRole('radio', { name: 'Custom stages' })).toBeChecked();
  });
});

describe('the page', () => {
  it('says how far it is, and lists the failed devices with what they said', async () => {
    const { container, findByText, getByRole, findByRole } = await openPage(
      { target: { by: 'search', search: '' }, rate: 1_000 },
      { devices: 200 },
    );
    await waitFor(() => expect(getByRole('heading', { level: 1 })).toHaveTextContent('led on Rollout 1'));
    await findByText('Finished');
    await findByRole('img', { name: /half within/ });
    await findByText(/\d+ devices? failed/);
    const rows = await waitFor(() => {
      const found = [...container.querySelectorAll<HTMLElement>('.grid-row[data-device]')];
      expect(found.length).toBeGreaterThan(0);
      return found;
    });
    expect(rows.every((row) => !['succeeded', 'pending'].includes(row.dataset['state'] ?? ''))).toBe(true);
    await expectAccessible(container);
  });

  it('does not deny the failed devices that it counts while it reads them', async () => {
    const { backend, findByText, queryByText, user, findByRole, container } = await openRollouts({ devices: 200 });
    const read = backend.rolloutMembers.bind(backend);
    let late = true;
    backend.rolloutMembers = async (query, from, count) =>
      late ? { rows: [], from, matching: 0 } : read(query, from, count);
    // It goes on for a while after the first failures, so the list is read again.
    const view = await backend.startRollout(newRollout({ rate: 60 }));
    await user.click(await findByRole('link', { name: new RegExp(`Rollout ${view.number}`) }));
    await findByText(/^[1-9]\d* devices? failed$/);
    expect(queryByText(/No device (has )?failed/)).toBeNull();
    late = false;
    await waitFor(() => expect(container.querySelector('.grid-row[data-device]')).not.toBeNull(), { timeout: 4_000 });
    expect(queryByText(/No device (has )?failed/)).toBeNull();
  });

  it('pauses, resumes and stops', async () => {
    const { user, findByRole, findByText, getByRole, backend, view } = await openPage({ rate: 1 });
    await user.click(await findByRole('button', { name: 'Pause' }));
    await findByText('Paused');
    await user.click(await findByRole('button', { name: 'Resume' }));
    await findByRole('button', { name: 'Pause' });
    await user.click(getByRole('button', { name: 'Stop…' }));
    await user.click(await findByRole('button', { name: 'Stop the rollout' }));
    await findByText('Stopped');
    expect((await backend.rollout(view.id)).rollout.state).toBe('stopped');
  });

  it('says that a rollout was removed together with its connection', async () => {
    const plant = view({ id: 'plant', name: 'Plant', url: 'mqtt://plant:1883' });
    const { app, backend, findByText, findByRole, queryByRole } = openWindow({ ...QUICK, connections: [plant] });
    await backend.startDemo();
    const { id } = await backend.startRollout(newRollout({ rate: 1 }));
    app.route.go('rollouts', { rollout: id });
    await findByRole('button', { name: 'Pause' });
    await backend.removeConnection('demo');
    await findByText('Rollout 1 was removed together with its connection.');
    expect(queryByRole('button', { name: 'Pause' })).toBeNull();
  });

  it('waits for a person between stages', async () => {
    const { user, findByRole, findByText } = await openPage({
      stages: [{ unit: 'devices', count: 3 }],
      between: { then: 'ask' },
    });
    await findByText('Waiting, stage 1 of 2');
    await findByText(/The next stage starts when you say so/);
    await user.click(await findByRole('button', { name: 'Start next stage' }));
    await findByText('Finished');
  });

  it('halts by itself, says why, and offers the failed ones again', async () => {
    const { findByText, findByRole, user, backend, view, container } = await openPage(
      {
        target: { by: 'search', search: 'is:offline' },
        halt: { above: { unit: 'members', count: 0 }, after: 1, count_timeouts: true },
      },
      { devices: 400 },
    );
    await findByText('Halted');
    // The notice of it says so too, a moment later.
    expect((await findByText('Halted by itself.')).parentElement).toHaveTextContent(/which is more than 0/);
    expect(container.querySelector('[role="meter"]')).toHaveAttribute(
      'aria-valuetext',
      expect.stringMatching(/halts above 0/),
    );
    await user.click(await findByRole('button', { name: 'Retry the failed…' }));
    const dialog = within(await findByRole('dialog', { name: 'Follow-up rollout' }));
    await dialog.findByText(/The failed devices of rollout 1/);
    const started = vi.spyOn(backend, 'startRollout');
    await user.click(await dialog.findByRole('button', { name: /^Send to \d+ device/ }));
    await waitFor(() =>
      expect(started.mock.calls[0]?.[0]).toMatchObject({
        target: { by: 'members', rollout: view.id, which: 'failed' },
        follows: { rollout: view.id, reason: 'retry_failed' },
      }),
    );
  });

  it('unfolds a device with its ladder by keyboard', async () => {
    const { findByRole, findByText, getByRole, user, container } = await openPage(
      {
        target: { by: 'search', search: 'is:offline' },
      },
      { devices: 400 },
    );
    await findByText('Finished');
    await waitFor(() => expect(container.querySelector('.grid-row[data-device]')).not.toBeNull());
    getByRole('treegrid').focus();
    await user.keyboard('{Home}{ArrowRight}');
    await findByRole('group', { name: 'led on: Timed out' });
    await findByRole('button', { name: 'Retry this one…' });
    await expectAccessible(container);
    getByRole('treegrid').focus();
    await user.keyboard('{ArrowLeft}');
    await waitFor(() => expect(container.querySelector('.expanded')).toBeNull());
  });

  it('lists other devices from the counts, by cause, and slowest first', async () => {
    const { findByRole, findByText, user, backend, container, getByRole } = await openPage(
      { rate: 1_000 },
      { devices: 200 },
    );
    await findByText('Finished');
    const asked = vi.spyOn(backend, 'rolloutMembers');
    await user.click(getByRole('button', { name: /^Succeeded/ }));
    await findByText(/\d+ devices succeeded/);
    await waitFor(() =>
      expect(container.querySelector('.grid-row[data-device]')).toHaveAttribute('data-state', 'succeeded'),
    );
    await user.click(getByRole('button', { name: 'Back to the failed' }));
    await user.click(await findByRole('button', { name: /^no answer/ }));
    expect(asked.mock.lastCall?.[0]).toMatchObject({ states: ['timed_out'] });
    await user.click(await findByRole('button', { name: 'Show the slowest' }));
    expect(asked.mock.lastCall?.[0]).toMatchObject({ slowest_first: true });
  });

  it('says what the failed devices share, and shows them', async () => {
    const { backend, findByText, findByRole, user, app, view } = await openPage();
    const original = backend.rollout.bind(backend);
    const shared = {
      kind: 'firmware' as const,
      value: '2.3.0',
      failed_with: 41,
      failed: 41,
      succeeded_with: 2,
      succeeded: 2_104,
      search: 'firmware:2.3.0',
    };
    backend.rollout = async (id) => ({ ...(await original(id)), shared: [shared] });
    await backend.noteRollout(view.id, 'x');
    await findByText('41 of 41 failed devices run firmware 2.3.0');
    await user.click(await findByRole('button', { name: 'Show them' }));
    await findByRole('grid', { name: 'Devices' });
    expect(app.route.screen).toBe('fleet');
    await waitFor(() => expect(app.fleet.matching).toBeLessThan(app.fleet.total));
  });

  it('keeps a note, and writes a report', async () => {
    const { findByRole, getByRole, user, backend, findByText, view } = await openPage();
    await user.click(await findByRole('button', { name: 'Add a note' }));
    await user.type(await findByRole('textbox', { name: 'Note' }), 'For the night shift');
    await user.click(getByRole('button', { name: 'Save' }));
    await findByRole('button', { name: 'Note' });
    expect((await backend.rollout(view.id)).rollout.spec.note).toBe('For the night shift');
    const written = vi.spyOn(backend, 'exportRollout');
    await user.click(getByRole('button', { name: 'Export…' }));
    await user.click(await findByRole('radio', { name: 'Report as Markdown' }));
    await fireEvent.input(getByRole('textbox', { name: 'Path of the file to write' }), {
      target: { value: '/tmp/r.md' },
    });
    await user.click(getByRole('button', { name: 'Export' }));
    await findByText('Rollout 1 written to /tmp/r.md.');
    expect(written.mock.calls[0]?.[2]).toBe('markdown');
  });
});

describe('elsewhere', () => {
  it('says when a rollout halts or finishes', async () => {
    const { backend, findByText } = await openFleet(QUICK);
    await backend.startRollout(newRollout({ target: { by: 'devices', devices: ['bench-0001'] } }));
    await findByText(/Rollout 1, led on, finished/);
  });

  it('shows the progress of the running one beside the fleet, where it can be paused and resumed', async () => {
    const { backend, findByRole, queryByRole, user, container } = await openFleet({ rolloutSpeed: 1 });
    expect(queryByRole('region', { name: /^Rollout/ })).toBeNull();
    const { id } = await backend.startRollout(newRollout({ rate: 1 }));
    const strip = within(await findByRole('region', { name: 'Rollout 1' }));
    expect(strip.getByRole('heading')).toHaveTextContent('led on, 60 devices');
    await expectAccessible(container);
    await user.click(strip.getByRole('button', { name: 'Pause' }));
    await user.click(await strip.findByRole('button', { name: 'Resume' }));
    await strip.findByRole('button', { name: 'Pause' });
    await backend.actOnRollout(id, 'stop');
    await waitFor(() => expect(queryByRole('region', { name: /^Rollout/ })).toBeNull());
  });

  it('asks before the window closes while a rollout runs, and not afterwards', async () => {
    const { backend, findByRole, user, getByRole } = await openFleet({ rolloutSpeed: 1 });
    const { id } = await backend.startRollout(newRollout({ rate: 1, name: 'Lights' }));
    await findByRole('link', { name: /^Rollouts.*1 running/ });
    await waitFor(() => {
      backend.requestClose();
      expect(getByRole('dialog', { name: 'Close while a rollout is running?' })).toHaveTextContent(
        'Lights (rollout 1)',
      );
    });
    await expectAccessible(getByRole('dialog', { name: 'Close while a rollout is running?' }));
    await user.click(getByRole('button', { name: 'Keep it open' }));
    expect(backend.closed).toBe(false);
    await backend.actOnRollout(id, 'stop');
    await findByRole('link', { name: 'Rollouts' });
    await waitFor(() => {
      backend.requestClose();
      expect(backend.closed).toBe(true);
    });
  });

  it('is reached by keys and from the palette', async () => {
    const { user, findByRole, app, backend } = await openFleet({ rolloutSpeed: 1 });
    const { id } = await backend.startRollout(newRollout({ rate: 1 }));
    await findByRole('link', { name: /^Rollouts.*1 running/ });
    await user.keyboard('gr');
    expect(app.route.screen).toBe('rollouts');
    await user.keyboard('{Control>}k{/Control}');
    await user.type(await findByRole('combobox'), 'show rollout 1');
    await user.keyboard('{Enter}');
    await findByRole('heading', { name: /led on Rollout 1/ });
    await user.keyboard('p');
    await waitFor(async () => expect((await backend.rollout(id)).rollout.state).toBe('paused'));
  });
});
