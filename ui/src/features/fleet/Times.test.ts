import { waitFor, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { TimesQuery } from '../../backend/bindings/TimesQuery';
import type { TimesView } from '../../backend/bindings/TimesView';
import { VALVE } from '../../test/valve';
import { expectAccessible, openFleet } from '../../test/window';
import { closeRolloutDialog, rolloutToPrepare } from '../rollouts/start.svelte';

beforeEach(closeRolloutDialog);

function times(name: string | null, p95_ms: number, suggestedSeconds: number | null): TimesView {
  return {
    name,
    count: suggestedSeconds === null ? 7 : 1_200,
    p50_ms: p95_ms / 2,
    p95_ms,
    p99_ms: p95_ms * 2,
    max_ms: p95_ms * 3,
    slow_after_ms: p95_ms * 1.5,
    suggested_timeout_ms: suggestedSeconds === null ? null : suggestedSeconds * 1_000,
  };
}

const ANSWERS: Record<TimesQuery['by'], TimesView[]> = {
  command: [
    times('identify', 90, null),
    times('led', 420, 3),
    times('sweep', 9_000, 60),
    times('tick', 20, 1),
    times('valve.open', 2_100, 15),
  ],
  firmware: [times(null, 80, 1), times('2.3.1', 420, 3)],
  device: [times('roof-0001', 9_000, null), times('dock-0001', 80, null)],
};

async function openTimes() {
  const window = await openFleet();
  await window.backend.saveDefinition(null, VALVE);
  await window.app.catalogue.load();
  const asked = vi.spyOn(window.backend, 'answerTimes');
  asked.mockImplementation((query) => Promise.resolve(query.device === null ? ANSWERS[query.by] : []));
  await window.user.click(window.getByRole('button', { name: 'More actions' }));
  await window.user.click(await window.findByRole('button', { name: 'Answer times…' }));
  const dialog = within(await window.findByRole('dialog', { name: 'Answer times' }));
  const row = (name: string) => within(dialog.getByRole('rowheader', { name }).closest('tr') as HTMLElement);
  await dialog.findByRole('rowheader', { name: 'led' });
  return { ...window, asked, dialog, row };
}

describe('the answer times of a connection', () => {
  it('are listed by command, firmware and device, and lead to the devices', async () => {
    const { app, asked, backend, dialog, row, user, queryByRole } = await openTimes();
    const demo = app.connections.currentId ?? '';
    expect(asked.mock.lastCall).toEqual([{ connection: demo, device: null, by: 'command' }]);
    dialog.getByText(/^The latest 4,807 answers, from sent to final answer\.$/);
    const cells = row('led').getAllByRole('cell');
    expect(cells.map((cell) => cell.textContent.trim())).toEqual([
      ...['1,200', '210 ms', '420 ms', '840 ms', '1.26 s', 'Send with 3 s…'],
    ]);
    expect(row('identify').getAllByRole('cell').at(-1)).toHaveTextContent('–');
    await expectAccessible(dialog.getByRole('table'));
    await user.click(dialog.getByRole('radio', { name: 'Firmware' }));
    await dialog.findByText(/Firmware is what each device reports now/);
    expect(dialog.queryByRole('columnheader', { name: 'Suggested timeout' })).toBeNull();
    row('Unknown').getByRole('button');
    await user.click(dialog.getByRole('button', { name: '2.3.1' }));
    expect(queryByRole('dialog', { name: 'Answer times' })).toBeNull();
    const found = () => [...app.fleet.search.tokens, app.fleet.search.text].join(' ');
    expect(found()).toContain('firmware:');
    const query = { connection: demo, search: found(), sort: 'device', order: 'ascending', group: null } as const;
    const { rows } = await backend.devices(query, 0, 100);
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter(({ firmware }) => firmware !== '2.3.1')).toEqual([]);
  });

  it('by device show the device', async () => {
    const { app, dialog, user } = await openTimes();
    await user.click(dialog.getByRole('radio', { name: 'Device' }));
    await user.click(await dialog.findByRole('button', { name: 'roof-0001' }));
    expect(app.inspected.device).toBe('roof-0001');
  });

  it('set the timeout of a command of one’s own, which can be undone', async () => {
    const { app, backend, dialog, row, user, findByRole } = await openTimes();
    const own = async () =>
      (await backend.catalogue()).find(({ definition }) => definition.name === VALVE.name)?.definition;
    expect((await own())?.timeout_ms).toBe(10_000);
    await user.click(row('valve.open').getByRole('button', { name: 'Use 15 s' }));
    await row('valve.open').findByText('15 s, in use');
    expect(await own()).toEqual({ ...VALVE, timeout_ms: 15_000 });
    await user.click(dialog.getByRole('button', { name: 'Close' }));
    await user.click(await findByRole('button', { name: 'Undo' }));
    await waitFor(async () => expect((await own())?.timeout_ms).toBe(10_000));
    expect(app.catalogue.entries.some(({ definition }) => definition.timeout_ms === 15_000)).toBe(false);
  });

  it('raise the default timeout of commands that are not in the catalogue, and never shorten it', async () => {
    const { backend, dialog, row, user, findByRole } = await openTimes();
    // Other commands have it too.
    row('tick').getByRole('button', { name: 'Send with 1 s…' });
    await user.click(row('sweep').getByRole('button', { name: 'Use 60 s as default' }));
    await row('sweep').findByText('60 s, in use');
    expect((await backend.settings()).timeout_s).toBe(60);
    await user.click(dialog.getByRole('button', { name: 'Close' }));
    await user.click(await findByRole('button', { name: 'Undo' }));
    await waitFor(async () => expect((await backend.settings()).timeout_s).toBe(10));
  });

  it('open a rollout with the suggested timeout where the command has a fixed one', async () => {
    const { row, user, findByRole } = await openTimes();
    await user.click(row('led').getByRole('button', { name: 'Send with 3 s…' }));
    expect(rolloutToPrepare.current).toMatchObject({ command: { name: 'led' }, timeoutMs: 3_000 });
    const inside = within(await findByRole('dialog', { name: /rollout/ }));
    await inside.findByText(/timeout 3 s/);
  });
});
