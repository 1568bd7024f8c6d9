import { waitFor, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';

import { expectAccessible, openFleet } from '../../test/window';
import { startRolloutDialog } from './start.svelte';

async function openDialog() {
  const window = await openFleet({ rolloutSpeed: 40 });
  const rehearsed = vi.spyOn(window.backend, 'rehearse');
  const started = vi.spyOn(window.backend, 'startRollout');
  startRolloutDialog({
    connection: 'demo',
    target: { by: 'search', search: '' },
    command: { name: 'led', args: '{"on":true}' },
  });
  const dialog = await window.findByRole('dialog', { name: 'New rollout' });
  const inside = within(dialog);
  await inside.findByRole('button', { name: /^Send to \d+ devices/ });
  const part = within(inside.getByRole('region', { name: 'Rehearsal' }));
  return { ...window, dialog, inside, part, rehearsed, started };
}

describe('a rehearsal', () => {
  it('runs the rollout on virtual devices, says so, and leaves the real one to be started', async () => {
    const { dialog, inside, part, user, rehearsed, started, backend } = await openDialog();
    await user.click(part.getByRole('button', { name: 'Rehearse this rollout' }));
    const result = within(await part.findByRole('status', { name: 'Rehearsal result' }));
    await result.findByText(/^The rehearsal finished after \d+\.\d s$/);
    result.getByText('Rehearsal');
    result.getByText(/60 succeeded/);
    result.getByText(/^Nothing was sent to real devices/);
    await expectAccessible(dialog);
    expect(rehearsed.mock.calls[0]?.[0]).toMatchObject({ connection: 'demo', command: { name: 'led' } });
    expect(started).not.toHaveBeenCalled();
    expect(await backend.rollouts()).toEqual([]);
    await user.click(inside.getByRole('button', { name: /^Send to \d+ devices/ }));
    await waitFor(() => expect(started).toHaveBeenCalledTimes(1));
  });

  it('halts by the same rule when its devices fail, the same way with the same seed', async () => {
    const { inside, part, user, rehearsed } = await openDialog();
    await user.click(part.getByRole('button', { name: 'Faults: none' }));
    await user.type(part.getByRole('textbox', { name: 'Command fails, %' }), '50');
    await user.clear(part.getByRole('textbox', { name: 'Random seed' }));
    await user.type(part.getByRole('textbox', { name: 'Random seed' }), '7');
    part.getByRole('button', { name: 'Faults: Command fails 50 %' });
    const halt = await inside.findByRole('checkbox', { name: /^Halt/ });
    if (!(halt as HTMLInputElement).checked) await user.click(halt);
    const rehearse = async (name: string) => {
      await user.click(part.getByRole('button', { name }));
      await part.findByText(/^The rehearsal halted after/);
      return part.getByText(/\d+ not started/).textContent;
    };
    const first = await rehearse('Rehearse this rollout');
    expect(await rehearse('Rehearse again')).toBe(first);
    expect(rehearsed.mock.calls[0]?.[1]).toMatchObject({ fail: 0.5, seed: 7 });
    await part.findByText(/^\d+ devices?: The I2C bus/);
  });

  it('is stopped, and another rollout has not been rehearsed', async () => {
    const { inside, part, user, backend } = await openDialog();
    const stopped = vi.spyOn(backend, 'stopRehearsal');
    await user.click(part.getByRole('button', { name: 'Rehearse this rollout' }));
    await user.click(await part.findByRole('button', { name: 'Stop rehearsal' }));
    expect(stopped).toHaveBeenCalledTimes(1);
    await user.click(part.getByRole('button', { name: 'Rehearse this rollout' }));
    await part.findByText(/^The rehearsal finished/);
    await user.click(inside.getByRole('radio', { name: 'Custom stages' }));
    await waitFor(() => expect(part.queryByText(/^The rehearsal finished/)).toBeNull());
    part.getByRole('button', { name: 'Rehearse this rollout' });
  });

  it('needs faults that make sense', async () => {
    const { part, user } = await openDialog();
    await user.click(part.getByRole('button', { name: 'Faults: none' }));
    await user.type(part.getByRole('textbox', { name: 'Answer is lost, %' }), '101');
    await part.findByText('Enter a percentage from 0 to 100.');
    expect(part.getByRole('button', { name: 'Rehearse this rollout' })).toBeDisabled();
  });
});
