import { waitFor, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';

import { EVERY, LED_ON, QUICK, openDialog, openPage } from '../../test/rolloutWindow';
import { newRollout } from '../../test/rollouts';
import { expectAccessible, openFleet } from '../../test/window';
import { startRolloutDialog } from './start.svelte';

describe('a follow-up rollout', () => {
  it('puts back what it changed, without a command to fill in', async () => {
    const command = { ...newRollout().command, name: 'config.set', args: '{"changes":{"buzzer":false},"apply":"now"}' };
    const { user, findByRole, getByRole, backend } = await openPage({ command });
    await waitFor(() => expect(getByRole('button', { name: 'More' })).toBeVisible());
    await waitFor(async () => expect((await backend.rollouts())[0]?.state).toBe('finished'));
    await user.click(getByRole('button', { name: 'More' }));
    await user.click(await findByRole('button', { name: 'Restore the earlier configuration…' }));
    const dialog = await findByRole('dialog', { name: 'Follow-up rollout' });
    const inside = within(dialog);
    await inside.findByRole('heading', { name: 'Restore the earlier configuration' });
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

describe('a stopped rollout', () => {
  it.each([
    {
      name: 'Retry failed and not started…',
      words: /^The failed and not started devices of rollout 1/,
      which: 'failed_or_not_started',
      reason: 'retry_failed_and_not_started',
    },
    { name: 'Send again to all…', words: /^All devices of rollout 1/, which: 'all', reason: 'send_again' },
  ])('is followed by another one: $name', async ({ name, words, which, reason }) => {
    const { user, findByRole, getByRole, backend, view } = await openPage({ rate: 1 });
    await backend.actOnRollout(view.id, 'stop');
    await waitFor(async () => expect((await backend.rollout(view.id)).rollout.state).toBe('stopped'));
    await user.click(getByRole('button', { name: 'More' }));
    await user.click(await findByRole('button', { name }));
    const dialog = within(await findByRole('dialog', { name: 'Follow-up rollout' }));
    await dialog.findByText(words);
    const started = vi.spyOn(backend, 'startRollout');
    await user.click(await dialog.findByRole('button', { name: /^Send to \d+ device/ }));
    await waitFor(() =>
      expect(started.mock.calls[0]?.[0]).toMatchObject({
        target: { by: 'members', rollout: view.id, which },
        follows: { rollout: view.id, reason },
      }),
    );
  });
});

describe('a suggested timeout', () => {
  it('is applied, and undone', async () => {
    const { inside, user } = await openDialog();
    await user.click(await inside.findByText(/^Name, rate, maintenance hours/));
    const field = () => inside.getByRole('textbox', { name: 'Timeout, seconds' });
    expect(field()).toHaveValue('');
    await user.click(await inside.findByRole('button', { name: /^Use \d+ s$/ }));
    await inside.findByText(/^Timeout set to \d+ s\./);
    expect(field()).not.toHaveValue('');
    await user.click(inside.getByRole('button', { name: 'Undo' }));
    expect(field()).toHaveValue('');
    await inside.findByText(/^Suggested timeout: \d+ s/);
  });
});

describe('a dry run', () => {
  it('shows every request on demand', async () => {
    const { inside, user, container } = await openDialog();
    await user.click(await inside.findByRole('button', { name: /^Dry run/ }));
    await user.click(await inside.findByRole('button', { name: 'Show all 60 requests' }));
    const list = await inside.findByRole('listbox', { name: '60 requests' });
    await waitFor(() => expect(within(list).getAllByRole('option')[0]).toHaveTextContent(/\/req \{/));
    list.focus();
    await user.keyboard('{End}');
    const last = await within(list).findByRole('option', { selected: true });
    expect(last).toHaveAttribute('aria-posinset', '60');
    await waitFor(() => expect(last).toHaveTextContent('roof-'));
    await inside.findByRole('heading', { name: /^roof-/ });
    await expectAccessible(container);
  });
});

describe('a broadcast', () => {
  it('is one publish for all, without stages or limits', async () => {
    const { inside, user, request } = await openDialog();
    await user.click(await inside.findByRole('radio', { name: 'One for all devices (broadcast)' }));
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
    await user.click(await inside.findByRole('radio', { name: 'One for a group (broadcast)' }));
    await user.type(inside.getByRole('textbox', { name: 'Group' }), 'hall/3');
    await inside.findByText('Enter the name of the group: one topic level, without / + #.');
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
    expect(app.closeGuard.unsaved).toEqual(['Your rollout of LED, which has not started']);
    await user.click(inside.getByRole('button', { name: 'Cancel' }));
    expect(app.closeGuard.unsaved).toEqual([]);
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
    await inside.findByText('Complete the command to see a preview.');
    await user.click(await inside.findByRole('checkbox', { name: 'On' }));
    await inside.findByText('Messages', { selector: 'dt' });
  });

  it('lists devices that are offline or already in the requested state, and leaves them out', async () => {
    const { backend, inside, user, request } = await openDialog();
    const plan = await backend.planRollout(newRollout());
    expect(plan.offline * plan.already).toBeGreaterThan(0);
    await inside.findByText(new RegExp(plan.already_examples[0] ?? 'none'));
    await user.click(inside.getByRole('checkbox', { name: 'Leave out already in the requested state' }));
    await user.click(inside.getByRole('checkbox', { name: 'Leave out offline' }));
    const left = await backend.planRollout(newRollout({ leave_out: { already: true, offline: true, busy: false } }));
    await user.click(await inside.findByRole('button', { name: `Send to ${left.members} devices` }));
    await waitFor(() => expect(request()?.leave_out).toEqual({ already: true, offline: true, busy: false }));
  });

  it('runs in stages, waits between them, and halts automatically', async () => {
    const { inside, user, request, findByRole } = await openDialog();
    await user.click(await inside.findByRole('radio', { name: '10, 10 %, the rest' }));
    expect(inside.getByRole('checkbox', { name: 'Halt when too many devices fail' })).toBeChecked();
    await user.click(inside.getByRole('radio', { name: 'Ask me' }));
    await inside.findByText('until you continue');
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

  it('reports errors in custom stages, and sends nothing', async () => {
    const { inside, user, request } = await openDialog();
    await user.click(await inside.findByRole('radio', { name: 'Custom stages' }));
    const sizes = inside.getByRole('textbox', { name: 'Sizes' });
    await user.clear(sizes);
    await user.type(sizes, '10, many');
    await inside.findByText('“many” is not a number of devices or a percentage.');
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
    await inside.findByText(/500 a second cannot be reached/);
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

  it('requires typing the number before a dangerous command is sent to more than 20', async () => {
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

  it('does not ask for the number for a few devices, and lists them', async () => {
    const devices = ['bench-0001', 'kitchen-0001'];
    const target = { by: 'devices' as const, devices };
    const { inside, dialog } = await openDialog({ target, command: { name: 'restart', args: '{}' } });
    expect(await inside.findByRole('button', { name: 'Restart: 2 devices' })).toBeEnabled();
    expect(dialog).toHaveTextContent('interrupts what the devices are doing. bench-0001, kitchen-0001.');
  });

  it('names the devices that are left, and counts those whose presence is unknown beside the others', async () => {
    const devices = ['bench-0001', 'kitchen-0001', 'kitchen-0002'];
    const target = { by: 'devices' as const, devices };
    const { backend, findByRole } = await openFleet(QUICK);
    const plan = await backend.planRollout(newRollout({ target }));
    const left = { members: 2, samples: plan.samples.slice(0, 1), offline: 1, offline_examples: ['kitchen-0001'] };
    const changed = { changed_since: 1, changed_since_examples: ['kitchen-0002'] };
    backend.planRollout = async () => ({ ...plan, ...left, ...changed, dangerous: true, presence_unknown: 2 });
    startRolloutDialog({ connection: 'demo', target, command: { name: 'restart', args: '{}' } });
    const dialog = await findByRole('dialog', { name: /rollout/ });
    const inside = within(dialog);
    expect(await inside.findByRole('button', { name: 'Restart: 2 devices' })).toBeEnabled();
    expect(dialog).toHaveTextContent('interrupts what the devices are doing. bench-0001 and 1 other.');
    await inside.findByText('2 devices with unknown presence.');
    expect(dialog).toHaveTextContent('1 device has been changed since, and loses that value: kitchen-0002.');
    await expectAccessible(dialog);
  });

  it('shows why the engine refuses it', async () => {
    const { backend, inside, user } = await openDialog();
    backend.startRollout = async () => Promise.reject({ code: 'invalid', message: 'The disk is full.', hint: null });
    await user.click(await inside.findByRole('button', { name: /^Send to/ }));
    await inside.findByText('The disk is full.');
  });

  it('continues where it was left, and starts with the current choices', async () => {
    const { inside, user, request, queryByRole, findByRole } = await openDialog();
    await user.click(await inside.findByRole('radio', { name: 'Custom stages' }));
    await user.keyboard('{Escape}');
    await waitFor(() => expect(queryByRole('dialog', { name: /rollout/ })).toBeNull());
    startRolloutDialog({ connection: 'demo', target: EVERY, command: LED_ON });
    const again = within(await findByRole('dialog', { name: 'New rollout' }));
    expect(await again.findByRole('radio', { name: 'Custom stages' })).toBeChecked();
    await user.click(again.getByRole('radio', { name: '10, 10 %, the rest' }));
    await user.click(again.getByRole('checkbox', { name: 'Leave out offline' }));
    await user.click(await again.findByRole('button', { name: /^Send to/ }));
    await waitFor(() => expect(request()?.stages.length).toBeGreaterThan(1));
    expect(request()?.leave_out.offline).toBe(true);
  });
});
