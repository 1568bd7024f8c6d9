import { waitFor, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';

import { NO_FAULTS } from '../faults/dials';
import { expectAccessible, openFleet } from '../../test/window';

async function openFaults() {
  const window = await openFleet();
  const { user, findByRole, getByRole, backend } = window;
  await backend.setDemoFaults({ ...NO_FAULTS, slow: 0.1, seed: 3 });
  const kept = vi.spyOn(backend, 'setDemoFaults');
  await user.click(getByRole('link', { name: 'Connections' }));
  const card = within(await findByRole('article', { name: 'Demo fleet' }));
  await user.click(card.getByRole('button', { name: 'More' }));
  await user.click(card.getByRole('button', { name: 'Faults…' }));
  await waitFor(() => expect(card.getByRole('textbox', { name: 'Command is slow, %' })).toHaveValue('10'));
  return { ...window, card, kept };
}

describe('the faults of the demo fleet', () => {
  it('are shown as they are, changed and kept with their seed', async () => {
    const { card, user, kept, container, backend } = await openFaults();
    await expectAccessible(container);
    expect(card.getByRole('textbox', { name: 'Random seed' })).toHaveValue('3');
    await user.type(card.getByRole('textbox', { name: 'Command fails, %' }), '2,5');
    await user.type(card.getByRole('textbox', { name: 'Maximum delay, ms' }), '400');
    await user.click(card.getByRole('button', { name: 'Apply' }));
    const expected = { ...NO_FAULTS, slow: 0.1, fail: 0.025, delay_ms: 400, seed: 3 };
    expect(kept.mock.calls).toEqual([[expected]]);
    await waitFor(() => expect(card.queryByRole('button', { name: 'Apply' })).toBeNull());
    expect(await backend.demoFaults()).toEqual(expected);
  });

  it('are switched off together, and refused where they make no sense', async () => {
    const { card, user, kept } = await openFaults();
    await user.type(card.getByRole('textbox', { name: 'Devices offline, %' }), 'many');
    await card.findByText('Enter a percentage from 0 to 100.');
    expect(card.getByRole('button', { name: 'Apply' })).toBeDisabled();
    await user.click(card.getByRole('button', { name: 'No faults' }));
    await user.click(card.getByRole('button', { name: 'Apply' }));
    expect(kept.mock.calls).toEqual([[NO_FAULTS]]);
  });
});
