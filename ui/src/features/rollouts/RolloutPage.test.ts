import { fireEvent, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';

import { view } from '../../backend/fake/connections';
import { QUICK, openPage, openRollouts } from '../../test/rolloutWindow';
import { newRollout } from '../../test/rollouts';
import { expectAccessible, openWindow } from '../../test/window';

describe('the page', () => {
  it('shows its progress, and lists the failed devices with their messages', async () => {
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
    // It continues for a while after the first failures, so the list is read again.
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
    await findByText(/Waiting for you to start the next stage/);
    await user.click(await findByRole('button', { name: 'Start next stage' }));
    await findByText('Finished');
  });

  it('halts automatically, shows why, and offers to retry the failed devices', async () => {
    const { findByText, findByRole, user, backend, view, container } = await openPage(
      {
        target: { by: 'search', search: 'is:offline' },
        halt: { above: { unit: 'members', count: 0 }, after: 1, count_timeouts: true },
      },
      { devices: 400 },
    );
    await findByText('Halted');
    // The notice of it says so too, a moment later.
    expect((await findByText('Halted automatically.')).parentElement).toHaveTextContent(/which is more than 0/);
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

  it('lists what the failed devices have in common, and shows the devices', async () => {
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

  it('lists what the slow devices have in common, and shows the devices', async () => {
    const { backend, findByRole, user, app, view } = await openPage();
    const original = backend.rollout.bind(backend);
    const trait = { kind: 'tag' as const, value: 'kitchen', slow_with: 84, quick_with: 12, quick: 630 };
    const slow = { above_ms: 950, count: 90, shared: [{ ...trait, search: 'tag:kitchen' }] };
    backend.rollout = async (id) => ({ ...(await original(id)), slow });
    await backend.noteRollout(view.id, 'x');
    const list = await findByRole('list', { name: 'Common traits of the slow devices' });
    expect(list).toHaveTextContent(
      '84 of 90 devices that took longer than 950 ms have the tag kitchen; 12 of 630 quicker ones do.',
    );
    await user.click(within(list).getByRole('button', { name: 'Show them' }));
    await findByRole('grid', { name: 'Devices' });
    await waitFor(() => expect(app.fleet.search.tokens).toEqual(['tag:kitchen']));
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
