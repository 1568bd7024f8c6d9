import { screen, within } from '@testing-library/svelte';
import { expect, it, vi } from 'vitest';

import { expectAccessible, openFleet } from '../../test/window';

async function openSettings() {
  const window = await openFleet();
  await window.user.click(window.getByRole('link', { name: 'Settings' }));
  await window.findByRole('textbox', { name: 'Timeout' });
  return window;
}

it('keeps theme and density', async () => {
  const { getByRole, backend, user, container } = await openSettings();
  await user.click(getByRole('radio', { name: 'Dark' }));
  expect(document.documentElement).toHaveAttribute('data-theme', 'dark');
  getByRole('radio', { name: 'Dark' }).focus();
  await user.keyboard('{ArrowRight}');
  expect(document.documentElement).not.toHaveAttribute('data-theme');
  await user.click(getByRole('radio', { name: 'Compact' }));
  expect(document.documentElement).toHaveAttribute('data-density', 'compact');
  expect(await backend.loadPreferences()).toMatchObject({ theme: 'system', density: 'compact' });
  await expectAccessible(container);
});

/** The choice of how long commands are kept. */
const keepCommands = () => within(screen.getByRole('radiogroup', { name: 'Keep commands' }));

it('accepts a number on blur, and shows errors beside it', async () => {
  const { getByRole, queryByRole, findByRole, backend, user, container } = await openSettings();
  const check = async (name: string, typed: string, why: string | null) => {
    const field = getByRole('textbox', { name });
    await user.clear(field);
    await user.type(field, typed);
    await user.tab();
    if (why === null) {
      expect(queryByRole('alert')).toBeNull();
      expect(field).toBeValid();
      return;
    }
    expect(await findByRole('alert')).toHaveTextContent(why);
    expect(field).toBeInvalid();
    expect(field).toHaveValue(typed);
    expect(field).toHaveAccessibleDescription(expect.stringContaining(why));
  };
  await check('Timeout', '33', null);
  expect((await backend.settings()).timeout_s).toBe(33);
  await check('Timeout', '0', 'A timeout of 0 s is not allowed. Enter a value from 1 second to 7 days.');
  await expectAccessible(container);
  expect((await backend.settings()).timeout_s).toBe(33);
  await check('Timeout', '34', null);
  await check('Retention', '0', 'A history of 0 days would keep nothing');
  await check('Retention', 'NaN', '“NaN” is not a whole number.');
  await check('Retention', '365', null);
  await check('Retention', '90', null);
  expect((await backend.settings()).history_days).toBe(90);
  await user.click(keepCommands().getByRole('radio', { name: 'Forever' }));
  expect((await backend.settings()).history_days).toBeNull();
  expect(queryByRole('textbox', { name: 'Retention' })).toBeNull();
});

it('takes the quota of evidence with its unit, and says how much of it is used', async () => {
  const { getByRole, findByText, findByRole, backend, user, container } = await openSettings();
  await findByText('Evidence: 210.0 MB of 1 GB; 12,400 not kept: 12,400 messages of dev-7');
  const field = getByRole('textbox', { name: 'Evidence of each device' });
  expect(field).toHaveValue('64 MB');
  await user.clear(field);
  await user.type(field, '1.5 GB');
  await user.tab();
  expect((await backend.settings()).device_evidence_bytes).toBe(1_500_000_000);
  await user.clear(field);
  await user.type(field, '10 kB');
  await user.tab();
  expect(await findByRole('alert')).toHaveTextContent('Enter a value from 100 kB to 1 TB.');
  await user.clear(field);
  await user.type(field, '64');
  await user.tab();
  expect(await findByRole('alert')).toHaveTextContent('Enter a number with its unit, for example 64 MB.');
  expect((await backend.settings()).device_evidence_bytes).toBe(1_500_000_000);
  await expectAccessible(container);
});

it('stores the notification settings', async () => {
  const { getByRole, queryByRole, backend, user } = await openSettings();
  await user.click(getByRole('checkbox', { name: 'When commands fail' }));
  await user.click(getByRole('checkbox', { name: 'When commands take long' }));
  expect(await backend.settings()).toMatchObject({ notify_failed: false, notify_long: false });
  expect(queryByRole('textbox', { name: 'Long-running after' })).toBeNull();
});

it('shows how much history would be deleted beforehand', async () => {
  const { getByRole, findByText, findByRole, backend, user, container } = await openSettings();
  const { total } = await backend.history({
    connection: null,
    device: null,
    states: [],
    since: null,
    search: '',
    automatic: false,
    needs_attention: false,
    cursor: null,
    limit: 1,
  });
  backend.age(100);
  await user.click(getByRole('button', { name: 'Clear…' }));
  const field = getByRole('textbox', { name: 'Older than (days)' });
  await user.clear(field);
  await user.type(field, '0');
  await findByText(/would keep nothing/);
  await user.clear(field);
  await user.type(field, '3000');
  await findByText('No commands are older than that.');
  expect(getByRole('button', { name: 'Clear them' })).toBeDisabled();
  await user.clear(field);
  await user.type(field, '30');
  const clear = await findByRole('button', { name: /^Clear [\d,]+ commands$/ });
  await expectAccessible(container);
  await user.click(clear);
  const notice = await findByText(/commands cleared from the history/);
  const cleared = Number(/[\d,]+/.exec(notice.textContent)?.[0].replaceAll(',', ''));
  expect(cleared).toBeGreaterThan(0);
  expect(cleared).toBeLessThanOrEqual(total);
  const left = await backend.countOlder(30);
  expect(left.commands).toBe(0);
});

it('also clears other old data, and lists it', async () => {
  const { getByRole, findByText, findByRole, backend, user } = await openSettings();
  const older = { commands: 0, unmatched: 2, logs: 1 };
  backend.countOlder = async () => older;
  backend.forgetOlder = async () => older;
  await user.click(getByRole('button', { name: 'Clear…' }));
  await findByText(/^2 answers without a command and 1 log will be deleted/);
  await user.click(await findByRole('button', { name: 'Clear them' }));
  await findByText('2 answers without a command and 1 log cleared from the history.');
  // A shorter history would take them as well, and asks.
  const field = getByRole('textbox', { name: 'Retention' });
  await user.clear(field);
  await user.type(field, '3');
  await user.tab();
  const question = within(await findByRole('group', { name: 'Keep the history for 3 days?' }));
  expect(question.getByRole('alert')).toHaveTextContent(
    '2 answers without a command and 1 log from more than 3 days ago',
  );
});

it('asks before a shorter retention deletes anything', async () => {
  const { getByRole, queryByRole, findByRole, findByText, backend, user, container } = await openSettings();
  const kept = async () => (await backend.settings()).history_days;
  backend.age(100);
  const { commands: count } = await backend.countOlder(3);
  expect(count).toBeGreaterThan(0);
  const field = getByRole('textbox', { name: 'Retention' });
  await user.clear(field);
  await user.type(field, '3');
  await user.tab();
  const question = within(await findByRole('group', { name: 'Keep the history for 3 days?' }));
  expect(question.getByRole('alert')).toHaveTextContent(`${count} commands from more than 3 days ago`);
  expect(field).toHaveValue('3');
  expect(await kept()).toBe(365);
  await expectAccessible(container);
  await user.click(question.getByRole('button', { name: 'Cancel' }));
  expect(queryByRole('group', { name: /^Keep the history/ })).toBeNull();
  expect(field).toHaveValue('365');
  expect(field).toHaveFocus();
  expect(await kept()).toBe(365);
  // Longer than what there is takes nothing away.
  await user.clear(field);
  await user.type(field, '200');
  await user.tab();
  await vi.waitFor(async () => expect(await kept()).toBe(200));
  await user.clear(field);
  await user.type(field, '3');
  await user.tab();
  await user.click(await findByRole('button', { name: `Delete ${count} commands` }));
  await vi.waitFor(async () => expect(await kept()).toBe(3));
  await findByText(`${count} commands cleared from the history.`);
  expect(await backend.countOlder(3)).toEqual({ commands: 0, unmatched: 0, logs: 0 });
  expect(field).toHaveFocus();
});

it('asks before a shorter time deletes measurements', async () => {
  const { getByRole, queryByRole, findByRole, findByText, backend, user, container } = await openSettings();
  const kept = async () => (await backend.settings()).telemetry_days;
  const field = getByRole('textbox', { name: 'Keep telemetry' });
  const type = async (days: string) => {
    await user.clear(field);
    await user.type(field, days);
    await user.tab();
  };
  await type('1');
  const question = within(await findByRole('group', { name: 'Keep telemetry for 1 day?' }));
  expect(question.getByRole('alert')).toHaveTextContent('Telemetry from more than 1 day ago will be deleted');
  expect(await kept()).toBe(7);
  await expectAccessible(container);
  await user.click(question.getByRole('button', { name: 'Cancel' }));
  expect(field).toHaveValue('7');
  expect(field).toHaveFocus();
  await type('0');
  await findByText(/Telemetry of 0 days would keep nothing/);
  expect(queryByRole('group', { name: /^Keep telemetry/ })).toBeNull();
  await type('9');
  await vi.waitFor(async () => expect(await kept()).toBe(9));
  await type('1');
  await user.click(await findByRole('button', { name: 'Delete older data' }));
  await vi.waitFor(async () => expect(await kept()).toBe(1));
  await findByText('Telemetry from more than 1 day ago will be deleted within the hour.');
  expect(field).toHaveFocus();
});

it('restores a number on Escape', async () => {
  const { getByRole, queryByRole, backend, user } = await openSettings();
  const field = getByRole('textbox', { name: 'Timeout' });
  await user.clear(field);
  await user.type(field, '34{Escape}');
  expect(field).toHaveValue('10');
  await user.clear(field);
  await user.type(field, '0');
  await user.tab();
  await vi.waitFor(() => expect(field).toBeInvalid());
  await user.type(field, '{Escape}');
  await vi.waitFor(() => expect(field).toHaveValue('10'));
  expect(queryByRole('alert')).toBeNull();
  expect(field).toHaveAccessibleDescription(/For free text and commands that are not in the catalogue/);
  await user.tab();
  expect((await backend.settings()).timeout_s).toBe(10);
});

it('asks before unlimited retention is limited', async () => {
  const { getByRole, findByRole, backend, user } = await openSettings();
  await user.click(keepCommands().getByRole('radio', { name: 'Forever' }));
  backend.age(400);
  await user.click(keepCommands().getByRole('radio', { name: 'For a limited time' }));
  await findByRole('group', { name: 'Keep the history for 365 days?' });
  expect((await backend.settings()).history_days).toBeNull();
  await user.click(getByRole('button', { name: 'Cancel' }));
  expect(keepCommands().getByRole('radio', { name: 'Forever' })).toHaveFocus();
  backend.countOlder = () => Promise.reject({ code: 'store', message: 'The disk is gone.', hint: null });
  await user.click(keepCommands().getByRole('radio', { name: 'For a limited time' }));
  expect(await findByRole('alert')).toHaveTextContent('The disk is gone.');
  expect((await backend.settings()).history_days).toBeNull();
});

it('gives the keyboard back to the button that opened the clearing', async () => {
  const { getByRole, findByRole, user } = await openSettings();
  await user.click(getByRole('button', { name: 'Clear…' }));
  await findByRole('dialog', { name: 'Clear the history' });
  await user.keyboard('{Escape}');
  expect(getByRole('button', { name: 'Clear…' })).toHaveFocus();
});

it('is where the data is found', async () => {
  const { getByRole, findByRole, findByText, getByText, user } = await openSettings();
  getByText('(in this browser: nothing is kept)');
  await user.click(getByRole('button', { name: 'Copy path' }));
  await findByRole('button', { name: 'Copied' });
  expect(await navigator.clipboard.readText()).toBe('(in this browser: nothing is kept)');
  await user.click(getByRole('button', { name: 'Open folder' }));
  await findByText('A browser opens no folders.');
});

it('keeps the name that other consoles see, or none', async () => {
  const { getByRole, findByText, backend, user, container } = await openSettings();
  const field = getByRole('textbox', { name: 'Operator name' });
  await user.type(field, 'Ana');
  await user.tab();
  expect((await backend.settings()).operator_name).toBe('Ana');
  // What was entered is used exactly, or refused.
  await user.type(field, ' ');
  await user.tab();
  await findByText(/The operator name begins or ends with a space/);
  expect(field).toBeInvalid();
  expect((await backend.settings()).operator_name).toBe('Ana');
  await user.clear(field);
  await user.tab();
  expect((await backend.settings()).operator_name).toBeNull();
  await expectAccessible(container);
});
