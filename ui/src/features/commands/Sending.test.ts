import { waitFor, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';

import { expectAccessible, openFleet } from '../../test/window';
import { closeRolloutDialog, startRolloutDialog } from '../rollouts/start.svelte';

async function openDevice(mode: 'normal' | 'read_only' | 'protected') {
  const window = await openFleet({ mode });
  const send = vi.spyOn(window.backend, 'send');
  await window.user.click(window.getByText('bench-0001', { selector: '.device' }));
  const inspector = within(await window.findByRole('complementary', { name: 'Inspector: bench-0001' }));
  const led = await inspector.findByRole('switch', { name: 'LED' });
  return { ...window, inspector, led, send };
}

describe('a protected connection', () => {
  it('is named as such, in a frame', async () => {
    const { container, getByRole } = await openDevice('protected');
    expect(container.querySelector('.app')).toHaveAttribute('data-mode', 'protected');
    expect(getByRole('button', { name: /^Connection: Demo fleet, protected, connected/ })).toHaveTextContent(
      'Protected',
    );
    await expectAccessible(container);
  });

  it('asks before a command, and sends nothing where that is cancelled', async () => {
    const { led, send, user, findByRole, queryByRole, container } = await openDevice('protected');
    await user.click(led);
    const question = within(await findByRole('dialog', { name: /^Send led (on|off) to bench-0001\?$/ }));
    await expectAccessible(container);
    expect(question.getByRole('button', { name: 'Cancel' })).toHaveFocus();
    // Red is for what interrupts a device.
    expect(question.getByRole('button', { name: 'Send' })).toHaveClass('button-primary');
    await user.click(question.getByRole('button', { name: 'Cancel' }));
    await waitFor(() => expect(queryByRole('dialog')).toBeNull());
    expect(send).not.toHaveBeenCalled();
    await waitFor(() => expect(led).not.toHaveAttribute('aria-busy', 'true'));
    await user.click(led);
    await user.click(within(await findByRole('dialog')).getByRole('button', { name: 'Send' }));
    await waitFor(() =>
      expect(send).toHaveBeenCalledWith(expect.objectContaining({ command: 'led', confirmed: 'yes' })),
    );
  });

  it('wants its name typed for a dangerous command', async () => {
    const { inspector, send, user, findByRole } = await openDevice('protected');
    await user.click(inspector.getByRole('button', { name: 'Restart…' }));
    await user.click(await inspector.findByRole('button', { name: 'Restart bench-0001' }));
    const question = within(await findByRole('dialog', { name: 'Send restart to bench-0001?' }));
    const name = question.getByRole('textbox', { name: 'Type Demo fleet to continue' });
    expect(name).toHaveFocus();
    const go = question.getByRole('button', { name: 'Send' });
    expect(go).toHaveClass('button-danger');
    await user.type(name, 'demo fleet');
    expect(go).toBeDisabled();
    await user.clear(name);
    await user.type(name, 'Demo fleet');
    await user.click(go);
    const confirmed = { name: 'Demo fleet' };
    await waitFor(() => expect(send).toHaveBeenCalledWith(expect.objectContaining({ command: 'restart', confirmed })));
  });

  it('wants its name typed for a rollout', async () => {
    const { backend, user, findByRole } = await openDevice('protected');
    const start = vi.spyOn(backend, 'startRollout');
    const command = { name: 'led', args: '{"on":true}' as const };
    startRolloutDialog({ connection: 'demo', target: { by: 'search', search: '' }, command });
    const dialog = within(await findByRole('dialog', { name: 'New rollout' }));
    const go = await dialog.findByRole('button', { name: /^Send to 60 devices$/ });
    const name = await dialog.findByRole('textbox', { name: 'Connection name' });
    expect(go).toBeDisabled();
    await user.type(name, 'Demo fleet');
    await user.click(go);
    const confirmed = { name: 'Demo fleet' };
    await waitFor(() => expect(start).toHaveBeenCalledWith(expect.objectContaining({ confirmed })));
    closeRolloutDialog();
  });
});

describe('a read-only connection', () => {
  it('says why its controls send nothing, and they do not', async () => {
    const { app, container, inspector, led, send, user, getByRole } = await openDevice('read_only');
    expect(getByRole('button', { name: /^Connection: Demo fleet, read-only/ })).toHaveTextContent('Read-only');
    expect(container.querySelector('.app')).toHaveAttribute('data-mode', 'read_only');
    for (const control of [led, inspector.getByRole('button', { name: 'Restart…' })]) {
      expect(control).toHaveAttribute('aria-disabled', 'true');
      expect(control).toHaveAccessibleDescription('Demo fleet is read-only: nothing is sent to its devices.');
      expect(control).toHaveAttribute('title', 'Demo fleet is read-only: nothing is sent to its devices.');
      await user.click(control);
    }
    expect(inspector.queryByRole('dialog')).toBeNull();
    expect(send).not.toHaveBeenCalled();
    await expectAccessible(container);
    // Nor by a key or from the palette.
    const offered = app.actions.list.map(({ id }) => id);
    expect(offered).not.toContain('device.led');
    expect(offered).not.toContain('rollouts.start');
    expect(offered).toContain('device.history');
  });
});

it('a normal connection sends at once', async () => {
  const { container, led, send, user, queryByRole } = await openDevice('normal');
  await user.click(led);
  await waitFor(() => expect(send).toHaveBeenCalledWith(expect.objectContaining({ confirmed: 'no' })));
  expect(queryByRole('dialog')).toBeNull();
  expect(container.querySelector('[aria-disabled]')).toBeNull();
});

it('asks before a command conflicts with one of another console', async () => {
  const { backend, led, send, user, findByRole } = await openDevice('normal');
  const busy = 'Another console (Ana\u001b) sent restart 3 s ago, and it has not finished.';
  const nothing = { name: null, already: null, may_stay_silent: false, silent: null, refused: null };
  const device = { device: 'bench-0001', ...nothing, busy };
  backend.checkCommand = async () => ({ refused: null, confirmation: 'none', devices: [device] });
  await user.click(led);
  const question = within(await findByRole('dialog', { name: /^Send led (on|off) to bench-0001\?$/ }));
  question.getByText(/^bench-0001: Another console \(Ana\\u001b\) sent restart 3 s ago/);
  expect(send).not.toHaveBeenCalled();
  await user.click(question.getByRole('button', { name: 'Send' }));
  await waitFor(() => expect(send).toHaveBeenCalledOnce());
});
