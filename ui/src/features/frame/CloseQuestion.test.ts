import { within } from '@testing-library/svelte';
import { expect, it, vi } from 'vitest';

import type { Fake } from '../../backend/fake';
import { expectAccessible, openFleet } from '../../test/window';

/** The fleet with a device looked at, and the window about to be closed. */
async function openBench() {
  const window = await openFleet();
  await window.user.click(window.getByText('bench-0001', { selector: '.device' }));
  await window.findByRole('switch', { name: 'LED' });
  return { ...window, question: () => window.findByRole('dialog', { name: 'Close without saving?' }) };
}

/** The page says a moment later that it has no more to ask. */
async function closes(backend: Fake) {
  await vi.waitFor(() => {
    backend.requestClose();
    expect(backend.closed).toBe(true);
  });
}

it('closes at once where all is saved', async () => {
  const { backend, app, queryByRole } = await openBench();
  backend.requestClose();
  expect(backend.closed).toBe(true);
  expect(app.closeGuard.asks).toBe(false);
  expect(queryByRole('dialog')).toBeNull();
});

it('asks first if something is unsaved, lists it, and continues on Enter', async () => {
  const { backend, app, question, user, queryByRole, container } = await openBench();
  app.inspected.edit('buzzer', 'later');
  app.catalogue.describe(null);
  if (app.catalogue.editor) app.catalogue.editor.title = 'Open the valve';
  app.connections.add();
  if (app.connections.wizard) app.connections.wizard.form.address = 'broker.example';
  app.composer.open({ connection: 'demo', devices: ['bench-0001'], offline: [] }, { kind: 'text' });
  app.composer.text = 'open';
  await Promise.resolve();
  backend.requestClose();
  expect(backend.closed).toBe(false);
  const asked = within(await question());
  expect(asked.getAllByRole('listitem').map(({ textContent }) => textContent)).toEqual([
    'Your input for Free text',
    'Your description of Open the valve',
    '1 change to the configuration of bench-0001, not applied',
    'A new connection',
  ]);
  await expectAccessible(container);
  expect(asked.getByRole('button', { name: 'Keep editing' })).toHaveFocus();
  await user.keyboard('{Enter}');
  expect(queryByRole('dialog', { name: 'Close without saving?' })).toBeNull();
  expect(app.inspected.edits).toEqual({ buzzer: 'later' });
  expect(backend.closed).toBe(false);
});

it('closes anyway if confirmed, and no longer asks once it is saved', async () => {
  const { backend, app, question, user } = await openBench();
  app.inspected.edit('buzzer', 'later');
  await Promise.resolve();
  backend.requestClose();
  await user.click(within(await question()).getByRole('button', { name: 'Close without saving' }));
  expect(backend.closed).toBe(true);
  backend.closed = false;
  app.inspected.discard();
  await closes(backend);
});

it('asks for nothing that has gone with its connection', async () => {
  const { backend, app } = await openBench();
  app.inspected.edit('buzzer', 'later');
  expect(app.closeGuard.unsaved).toHaveLength(1);
  await app.connections.remove('demo');
  expect(app.closeGuard.unsaved).toEqual([]);
  await closes(backend);
});
