import { waitFor, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';

import { expectAccessible, openFleet } from '../../test/window';
import { closeRolloutDialog, rolloutToPrepare } from '../rollouts/start.svelte';

beforeEach(closeRolloutDialog);

async function openDesired() {
  const window = await openFleet();
  window.app.desired.open();
  const dialog = within(await window.findByRole('dialog', { name: 'Desired configuration' }));
  await dialog.findByText(/No desired configuration yet/);
  return { ...window, dialog };
}

async function setForKitchen(value: string) {
  const window = await openDesired();
  const { dialog, user } = window;
  await user.click(dialog.getByRole('button', { name: 'Set values…' }));
  await user.type(dialog.getByRole('combobox', { name: 'Tag' }), 'kitchen');
  await user.type(dialog.getByRole('combobox', { name: 'Key 1' }), 'report_interval_s');
  await dialog.findByText(/^Now .*on \d+ devices/);
  await user.type(dialog.getByRole('combobox', { name: 'Value 1' }), value);
  await user.click(dialog.getByRole('button', { name: 'Save' }));
  return window;
}

describe('the desired configuration', () => {
  it('refuses a key that begins or ends with a space, unless devices report it so', async () => {
    const { dialog, user, backend, app } = await openDesired();
    await user.click(dialog.getByRole('button', { name: 'Set values…' }));
    await user.type(dialog.getByRole('combobox', { name: 'Tag' }), 'kitchen');
    const key = dialog.getByRole('combobox', { name: 'Key 1' });
    await user.type(key, 'report_interval_s ');
    await user.type(dialog.getByRole('combobox', { name: 'Value 1' }), '45');
    await user.click(dialog.getByRole('button', { name: 'Save' }));
    await dialog.findByText('The key begins or ends with a space. Remove the space.');
    expect(await backend.desired(app.connections.current?.id ?? '')).toEqual([]);
    await user.type(key, '{Backspace}');
    await user.click(dialog.getByRole('button', { name: 'Save' }));
    await dialog.findByText('report_interval_s = 45');
  });

  it('is set for a tag, counted, applied, cleared and restored', async () => {
    const { dialog, user, container, backend, app, findByText, findByRole, queryByRole } = await setForKitchen('45');
    const list = within(await dialog.findByRole('list', { name: 'Desired configurations' }));
    list.getByText('Tag kitchen');
    list.getByText('report_interval_s = 45');
    const differ = list.getByRole('button', { name: /\d+ differ/ });
    expect(differ).toBeEnabled();
    await expectAccessible(container);
    const connection = app.connections.current?.id ?? '';
    const [view] = await backend.desired(connection);
    expect(view?.desired).toEqual({
      connection,
      target: { by: 'tag', tag: 'kitchen' },
      values: '{"report_interval_s":45}',
      place: 0,
    });

    await user.click(list.getByRole('button', { name: 'Clear: Tag kitchen' }));
    await dialog.findByText(/No desired configuration yet/);
    await findByText('Cleared the wanted values for the tag kitchen.');
    await app.undo.last();
    await dialog.findByText('Tag kitchen');
    expect((await backend.desired(connection))[0]?.desired).toEqual(view?.desired);

    await user.click(dialog.getByRole('button', { name: 'Apply: Tag kitchen' }));
    expect(queryByRole('dialog', { name: 'Desired configuration' })).toBeNull();
    expect(rolloutToPrepare.current).toMatchObject({
      connection,
      target: { by: 'desired', search: 'tag:kitchen', unknown: false },
      command: { name: 'config.set' },
      name: 'Apply tag kitchen',
    });
    app.desired.open();
    const again = within(await findByRole('dialog', { name: 'Desired configuration' }));
    await user.click(await again.findByRole('button', { name: /\d+ differ/ }));
    await waitFor(() => expect(app.fleet.matching).toBe(view?.differs));
  });

  it('says in a column of the list who differs, and from what', async () => {
    const { app, dialog, container } = await setForKitchen('45');
    await dialog.findByText('Tag kitchen');
    app.fleet.arrange({
      sort: 'device',
      order: 'ascending',
      group: null,
      columns: [{ column: 'presence' }, { column: 'desired' }],
    });
    app.fleet.searchFor('tag:kitchen desired:differs');
    await waitFor(() =>
      expect(container.querySelector('[data-device^="kitchen"] .desired')).toHaveTextContent('Differs'),
    );
    const cell = container.querySelector('[data-device^="kitchen"] .desired');
    expect(cell).toHaveAttribute('title', expect.stringMatching(/report_interval_s: (30|60), wanted 45 \(kitchen\)/));
  });

  it('does not take what cannot be wanted', async () => {
    const { dialog, user, app, backend } = await setForKitchen('soon');
    await dialog.findByText('“soon” is not a number. Enter a number, for example 30 or 7.5.');
    expect(dialog.getByRole('combobox', { name: 'Value 1' })).toHaveAttribute('aria-invalid', 'true');
    expect(await backend.desired(app.connections.current?.id ?? '')).toEqual([]);
    await user.click(dialog.getByRole('button', { name: 'Remove value 1' }));
    await user.click(dialog.getByRole('button', { name: 'Save' }));
    await dialog.findByText('Enter at least one value.');
  });
});
