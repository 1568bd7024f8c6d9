import { within } from '@testing-library/svelte';
import { expect, it, vi } from 'vitest';

import { expectAccessible, openFleet } from '../../test/window';

async function openAudit() {
  const window = await openFleet();
  await window.user.click(window.getByRole('link', { name: 'Settings' }));
  await window.user.click(await window.findByRole('link', { name: 'Show the audit' }));
  await window.findByRole('heading', { name: 'Audit' });
  await window.findByText('Sent led to bench-0001');
  return window;
}

it('lists who did what and why, newest first, by kind and time', async () => {
  const { getAllByRole, getByRole, getByText, findByText, queryByText, user, container } = await openAudit();
  const cells = () => getAllByRole('row').map((row) => within(row).queryAllByRole('cell')[0]?.textContent);
  expect(cells()).toEqual([undefined, '5', '4', '3', '2', '1']);
  const sent = getByText('Sent led to bench-0001').closest('tr');
  expect(sent).toHaveTextContent('Ana (you on this-computer)');
  expect(sent).toHaveTextContent('night shift');
  await user.selectOptions(getByRole('combobox', { name: 'Kind' }), 'Commands');
  await expect.poll(cells).toEqual([undefined, '3']);
  await user.selectOptions(getByRole('combobox', { name: 'Kind' }), 'All kinds');
  await findByText('Added connection Demo fleet');
  await user.click(getByRole('button', { name: '24 hours' }));
  await expect.poll(() => queryByText('Changed settings: operator_name')).toBeNull();
  expect(cells()).toEqual([undefined, '5', '4', '3', '2']);
  await expectAccessible(container);
});

it('shows whether every entry is unaltered, and which is not', async () => {
  const { getByRole, findByText, getByText, backend, user, container } = await openAudit();
  await user.click(getByRole('button', { name: 'Verify' }));
  await findByText('Entries 1 to 5 are unaltered.');
  expect(getByText(/^Sealed up to entry 5 at/)).toBeVisible();
  backend.alterEntry(3);
  await user.click(getByRole('button', { name: 'Verify' }));
  await findByText('Entry 3 was altered. It now says: Sent nothing.');
  expect(getByText('Entries 1 to 2 and 4 to 5 are unaltered.')).toBeVisible();
  expect(getByText('3 altered')).toBeVisible();
  await expectAccessible(container);
});

it('saves what happened in a period', async () => {
  const { getByRole, findByRole, findByText, app, backend, user, container } = await openFleet();
  const saved = vi.spyOn(backend, 'saveEvidence');
  app.route.go('audit');
  await user.click(await findByRole('button', { name: 'Export…' }));
  expect(await findByRole('radio', { name: 'All' })).toBeChecked();
  await user.click(getByRole('radio', { name: '24 hours' }));
  await expectAccessible(container);
  await user.type(getByRole('textbox', { name: 'Path of the file to write' }), '/home/you/day.wilco-evidence');
  await user.click(getByRole('button', { name: 'Save' }));
  await findByText('1 record written to /home/you/day.wilco-evidence.');
  const [of] = saved.mock.lastCall ?? [];
  const since = of?.of === 'audit' ? of.since : null;
  expect(Math.abs((since ?? 0) - (Date.now() - 24 * 3_600_000))).toBeLessThan(60_000);
});

it('saves evidence of a command, and opens it again', async () => {
  const { getByRole, findByRole, findByText, findAllByText, getByText, app, backend, user, container } =
    await openFleet();
  app.route.go('audit');
  await user.click(await findByRole('button', { name: 'Export…' }));
  await user.type(await findByRole('textbox', { name: 'Path of the file to write' }), '/home/you/a.wilco-evidence');
  await user.click(getByRole('button', { name: 'Save' }));
  await findByText('1 record written to /home/you/a.wilco-evidence.');
  app.route.go('evidence');
  await findByRole('heading', { name: 'Evidence file' });
  await user.type(getByRole('textbox', { name: 'Path of the file to read' }), '/home/you/a.wilco-evidence');
  await user.click(getByRole('button', { name: 'Open' }));
  await findByText('The record is unaltered.');
  expect(getByText(/^Signed by the key 3f2a/, { selector: 'section p' })).toBeVisible();
  backend.alterEvidence('/home/you/a.wilco-evidence');
  await user.click(getByRole('button', { name: 'Open' }));
  expect(await findAllByText('Line 2 was altered.')).toHaveLength(2);
  await user.click(getByText('Altered'));
  expect(getByText('Too large to show here. It is in the file.')).toBeVisible();
  expect(getByText('Altered')).toBeVisible();
  await expectAccessible(container);
});
