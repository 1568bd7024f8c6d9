import { waitFor, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';

import type { AnswerOutcome } from '../../backend/bindings/AnswerOutcome';
import type { EventKind } from '../../backend/bindings/EventKind';
import { NEEDS_ATTENTION_NOW } from '../../state/historyFilters';
import { expectAccessible, openFleet } from '../../test/window';

async function openHistory(options = {}) {
  const window = await openFleet(options);
  await window.user.click(window.getByRole('link', { name: 'History' }));
  await window.findByRole('treegrid', { name: 'Commands' });
  await waitFor(() => expect(window.container.querySelector('[data-command-id]')).not.toBeNull());
  const rows = () => [...window.container.querySelectorAll<HTMLElement>('.grid-row[data-command-id]')];
  return { ...window, rows };
}

describe('the history', () => {
  it('is filtered by state', async () => {
    const { getByRole, rows, user, findByText } = await openHistory();
    await user.click(getByRole('button', { name: 'Timed out' }));
    await waitFor(() => expect(new Set(rows().map((row) => row.dataset['state']))).toEqual(new Set(['timed_out'])));
    await user.click(getByRole('button', { name: 'Undeliverable' }));
    await findByText('No command matches');
  });

  it('is searched while somebody types, and Escape leaves the field', async () => {
    const { getByRole, rows, user } = await openHistory();
    const all = rows().length;
    const field = getByRole('textbox', { name: 'Search' });
    await user.type(field, 'restart');
    const shown = () => rows().map((row) => row.textContent ?? '');
    await waitFor(() => expect(shown().every((text) => text.includes('restart'))).toBe(true));
    expect(shown().length).toBeGreaterThan(0);
    await user.keyboard('{Escape}');
    expect(getByRole('treegrid', { name: 'Commands' })).toHaveFocus();
    expect(field).toHaveValue('restart');
    await user.click(getByRole('button', { name: 'Clear the search' }));
    expect(field).toHaveFocus();
    await waitFor(() => expect(rows().length).toBe(all));
  });

  it('says that nothing matches a search, and lists everything again', async () => {
    const { getByRole, findByText, rows, user } = await openHistory();
    await user.type(getByRole('textbox', { name: 'Search' }), 'xyzzy');
    await findByText('No command matches');
    await user.click(getByRole('button', { name: 'Show all commands' }));
    await waitFor(() => expect(rows().length).toBeGreaterThan(0));
    expect(getByRole('textbox', { name: 'Search' })).toHaveValue('');
  });

  it('shows the reason of a failure in its row, and counts failures by reason', async () => {
    const { getByRole, findByRole, rows, user, container } = await openHistory();
    await user.click(getByRole('button', { name: 'Failed or rejected' }));
    await waitFor(() => expect(rows().every((row) => /failed|rejected/.test(row.dataset['state'] ?? ''))).toBe(true));
    expect(rows().some((row) => row.textContent?.includes('flash write error at 0x1f0000'))).toBe(true);
    await user.click(getByRole('button', { name: 'Group by cause' }));
    const causes = within(await findByRole('region', { name: 'Causes' }));
    const first = await waitFor(() => causes.getAllByRole('button')[0] as HTMLElement);
    await expectAccessible(container);
    const count = Number(first.querySelector('b')?.textContent);
    const reason = first.querySelector('.cut')?.textContent ?? '';
    await user.click(first);
    await waitFor(() => expect(rows().length).toBe(count));
    expect(rows().every((row) => row.textContent?.includes(reason))).toBe(true);
  });

  it('is filtered by a device, also from its inspector', async () => {
    const { getByRole, findByRole, getByText, rows, user } = await openHistory();
    await user.click(getByRole('link', { name: 'Fleet' }));
    await user.click(await waitFor(() => getByText('bench-0001', { selector: '.device' })));
    await user.click(await findByRole('link', { name: /^All \d/ }));
    await findByRole('treegrid');
    await waitFor(() => expect(new Set(rows().map((row) => row.dataset['device']))).toEqual(new Set(['bench-0001'])));
    expect(getByRole('textbox', { name: 'Device' })).toHaveValue('bench-0001');
    await user.click(getByRole('button', { name: 'All devices' }));
    await waitFor(() => expect(new Set(rows().map((row) => row.dataset['device'])).size).toBeGreaterThan(1));
  });

  it('unfolds a command with its ladder, its messages and its evidence', async () => {
    const { getByRole, findByRole, findByText, rows, user, container } = await openHistory();
    getByRole('treegrid').focus();
    const place = rows().findIndex((row) => row.dataset['state'] === 'succeeded');
    await user.keyboard('{Home}' + '{ArrowDown}'.repeat(place) + '{ArrowRight}');
    expect(rows()[place]).toHaveAttribute('aria-expanded', 'true');
    expect(await findByRole('group', { name: /: Succeeded$/ })).toHaveAttribute('data-state', 'succeeded');
    await findByText('Request');
    await findByText('Final answer');
    await findByText(/were spent/);
    await user.click(await findByRole('button', { name: 'Raw message 1' }));
    await findByText('As received');
    await expectAccessible(container);
    getByRole('treegrid').focus();
    await user.keyboard('{ArrowLeft}');
    expect(rows()[place]).toHaveAttribute('aria-expanded', 'false');
  });

  it('shows markup and controls of a device as text, and long payloads cut', async () => {
    const { backend, rows, user, findByRole, container } = await openHistory();
    const original = backend.command.bind(backend);
    backend.command = async (...which) => {
      const detail = await original(...which);
      const payload = `{"message":"<img src=x>\u202e${'x'.repeat(9_000)}"}`;
      const raw = { topic: 'a/resp', qos: 1, bytes: payload.length, payload, binary: false, cut: null };
      const outcome = detail.command.state as AnswerOutcome;
      const answer = { outcome, reading: 'moved' as const, progress: null, message: null, raw };
      return {
        ...detail,
        events: [{ place: 0, at: 1, kind: 'answered' as const, text: 'It answered.', attempt: 1, answer }],
      };
    };
    await user.click(rows()[0] as HTMLElement);
    const whole = await findByRole('button', { name: /^Show all/ });
    expect(container.querySelector('img')).toBeNull();
    const payload = within(whole.closest('.wire') as HTMLElement)
      .getByText(/message/)
      .closest('pre') as HTMLElement;
    expect(payload.textContent).toContain('<img src=x>\\u202e');
    expect(payload.textContent.length).toBeLessThan(4_300);
    await user.click(whole);
    expect(payload.textContent.length).toBeGreaterThan(9_000);
  });

  it('says how many heartbeats are not shown, and numbers the answers all the same', async () => {
    const { backend, rows, user, findByText, findByRole, container } = await openHistory();
    const original = backend.command.bind(backend);
    backend.command = async (...which) => {
      const detail = await original(...which);
      const raw = { topic: 'a/resp', qos: 1, bytes: 2, payload: '{}', binary: false, cut: null };
      const answer = { outcome: 'running', reading: 'heartbeat', progress: null, message: null, raw } as const;
      const fact = (place: number, kind: EventKind) => ({
        place,
        at: place,
        kind,
        text: 'Still',
        attempt: 1,
        answer: null,
      });
      const beat = (place: number) => ({ ...fact(place, 'answered'), answer });
      const events = [fact(0, 'submitted'), beat(1), beat(2), fact(9_000, 'at_broker'), beat(20_001), beat(20_002)];
      return { ...detail, events, left_out: 19_997 };
    };
    await user.click(rows()[0] as HTMLElement);
    await findByText('20,001 messages kept');
    await findByText('19,997 more answers with progress, stored but not shown here.');
    const ordinals = [...container.querySelectorAll('.ordinal')].map((ordinal) => ordinal.textContent);
    expect(ordinals).toEqual(['1', '2', '20000', '20001']);
    await user.click(await findByRole('button', { name: 'Raw message 20001' }));
    await findByText('As received');
    await expectAccessible(container);
  });

  it('says how many messages were not kept, and shows the newest of them', async () => {
    const { backend, rows, user, findByText, container } = await openHistory();
    const original = backend.command.bind(backend);
    backend.command = async (...which) => {
      const detail = await original(...which);
      const cut = { first: 3, last: 3, sha256: 'ab'.repeat(32) };
      const newest = { topic: 'a/resp', qos: 1, bytes: 131_072, payload: 'the newest', binary: false, cut };
      const discarded = { messages: 12_400, bytes: 1_625_292_800, first_at: 1, last_at: 2, newest };
      return { ...detail, discarded };
    };
    await user.click(rows()[0] as HTMLElement);
    await user.click(await findByText(/^12,400 more messages were received but not kept \(1\.6 GB\)/));
    await findByText(/the newest/);
    await expectAccessible(container);
  });

  it('is not read again because a connection counts something, as it does every second', async () => {
    const { backend } = await openHistory();
    const asked = vi.spyOn(backend, 'history');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(asked).not.toHaveBeenCalled();
  });

  it('lets what needs somebody be dismissed, one by one and all together', async () => {
    const { user, backend, app, rows, findByRole, queryByRole } = await openHistory();
    app.history.filterBy(NEEDS_ATTENTION_NOW);
    await waitFor(() => expect(rows().length).toBeGreaterThan(1));
    const dismissed = vi.spyOn(backend, 'dismiss');
    const first = app.history.rows[0];
    const before = app.history.matching ?? 0;
    await user.click(rows()[0] as HTMLElement);
    await user.click(await findByRole('button', { name: 'Dismiss' }));
    expect(dismissed).toHaveBeenLastCalledWith('demo', { device: first?.device, id: first?.id });
    await waitFor(() => expect(app.history.matching).toBe(before - 1));
    await user.click(await findByRole('button', { name: 'Dismiss all' }));
    expect(dismissed).toHaveBeenLastCalledWith('demo', null);
    await waitFor(() => expect(app.history.matching).toBe(0));
    expect(queryByRole('button', { name: 'Dismiss all' })).toBeNull();
  });

  it('takes new commands in on top', async () => {
    const { backend, rows } = await openHistory();
    await backend.send({
      connection: 'demo',
      devices: ['bench-0001'],
      command: 'identify',
      args: '{}',
      timeout_ms: null,
      ttl_ms: null,
      retries: null,
      delivery: null,
      no_answer: false,
      again_of: null,
      automatic: false,
      confirmed: 'no',
      note: null,
    });
    await waitFor(() => expect(rows()[0]).toHaveTextContent('identify'));
  });

  it('lists automatic commands separately', async () => {
    const { backend, getByRole, rows, user, app } = await openHistory();
    const before = rows()[0]?.dataset['commandId'];
    const last = app.history.rows[0];
    const { ids } = await backend.send({
      connection: 'demo',
      devices: ['bench-0001'],
      command: 'log.get',
      args: '{}',
      timeout_ms: null,
      ttl_ms: null,
      retries: null,
      delivery: null,
      no_answer: false,
      again_of: null,
      automatic: true,
      confirmed: 'no',
      note: null,
    });
    expect(last?.automatic).toBe(false);
    await user.click(getByRole('button', { name: 'Automatic' }));
    await waitFor(() => expect(rows().map((row) => row.dataset['commandId'])).toEqual(ids));
    expect(rows()[0]).toHaveTextContent('Wilco');
    await user.click(getByRole('button', { name: 'All' }));
    await waitFor(() => expect(rows()[0]?.dataset['commandId']).toBe(before));
  });

  it('is exported as it is filtered', async () => {
    const { backend, getByRole, findByRole, findByText, user, container } = await openHistory();
    const exported: unknown[] = [];
    const original = backend.exportHistory.bind(backend);
    backend.exportHistory = (...asked) => {
      exported.push(asked.slice(0, 3));
      return original(...asked);
    };
    await user.click(getByRole('button', { name: 'Timed out' }));
    await user.click(getByRole('button', { name: 'Export…' }));
    const form = within(await findByRole('dialog', { name: 'Export the history' }));
    form.getByText(/^Only “Timed out”/);
    await expectAccessible(container);
    await user.click(form.getByRole('button', { name: 'Export' }));
    form.getByText('Enter the path of the file to write.');
    await user.click(form.getByRole('radio', { name: 'JSON' }));
    await user.click(form.getByRole('button', { name: 'Choose where to save' }));
    await user.click(form.getByRole('button', { name: 'Export' }));
    await findByText(/^\d+ commands? written to \/home\/you\/history\.jsonl\.$/);
    const query = {
      connection: 'demo',
      device: null,
      states: ['timed_out'],
      since: null,
      search: '',
      automatic: false,
      needs_attention: false,
      cursor: null,
      limit: 100,
    };
    expect(exported).toEqual([[query, { path: '/home/you/history.jsonl', replace: true }, 'json']]);
    expect(getByRole('button', { name: 'Export…' })).toHaveFocus();
  });

  it('is exported to a path that ends as the format does', async () => {
    const { getByRole, findByRole, user } = await openHistory();
    await user.click(getByRole('button', { name: 'Export…' }));
    const form = within(await findByRole('dialog', { name: 'Export the history' }));
    const path = form.getByRole('textbox', { name: 'Path of the file to write' });
    await user.click(form.getByRole('button', { name: 'Choose where to save' }));
    await waitFor(() => expect(path).toHaveValue('/home/you/history.csv'));
    await user.click(form.getByRole('radio', { name: 'JSON' }));
    expect(path).toHaveValue('/home/you/history.jsonl');
    await user.click(form.getByRole('radio', { name: 'CSV' }));
    expect(path).toHaveValue('/home/you/history.csv');
    await user.clear(path);
    await user.type(path, '/home/you/of.csv.txt');
    await user.click(form.getByRole('radio', { name: 'JSON' }));
    expect(path).toHaveValue('/home/you/of.csv.txt');
  });

  it('says why a file cannot be written, and exports to another', async () => {
    const { getByRole, findByRole, findByText, user } = await openHistory();
    await user.click(getByRole('button', { name: 'Export…' }));
    const form = within(await findByRole('dialog', { name: 'Export the history' }));
    await user.type(form.getByRole('textbox', { name: 'Path of the file to write' }), '/nowhere/a.csv{Enter}');
    await form.findByText('The folder of /nowhere/a.csv does not exist.');
    await user.clear(form.getByRole('textbox', { name: 'Path of the file to write' }));
    await user.type(form.getByRole('textbox', { name: 'Path of the file to write' }), '/home/you/a.csv{Enter}');
    await findByText('150 commands written to /home/you/a.csv.');
  });

  it('asks before it writes over a file, keeps it first, and says the whole path', async () => {
    const { backend, getByRole, findByRole, findByText, user, container } = await openHistory();
    await backend.saveLog('demo', 'kitchen-0001', 'x', { path: '/home/you/notes.csv', replace: false });
    await user.click(getByRole('button', { name: 'Export…' }));
    const form = within(await findByRole('dialog', { name: 'Export the history' }));
    const path = () => form.getByRole('textbox', { name: 'Path of the file to write' });
    await user.type(path(), 'notes.csv{Enter}');
    await form.findByText(/has no folder/);
    await user.clear(path());
    await user.type(path(), '~/notes.csv{Enter}');
    expect(await form.findByRole('alert')).toHaveTextContent('/home/you/notes.csv already exists. Replace it?');
    await expectAccessible(container);
    expect(form.getByRole('button', { name: 'Cancel' })).toHaveFocus();
    await user.keyboard('{Enter}');
    expect(path()).toHaveFocus();
    await user.keyboard('{Enter}');
    await user.click(await form.findByRole('button', { name: 'Replace' }));
    await findByText('150 commands written to /home/you/notes.csv.');
  });

  it('shows how far an export is, wherever one looks meanwhile, and stops it', async () => {
    const { backend, getByRole, findByRole, findByText, user } = await openHistory();
    backend.exportHistory = (_query, _path, _format, onView) =>
      new Promise((resolve) => {
        const view = { written: 2_000, matching: 48_210, stopped: false, path: null };
        onView(view);
        backend.stopExport = async () => resolve({ ...view, stopped: true });
      });
    await user.click(getByRole('button', { name: 'Export…' }));
    const form = within(await findByRole('dialog', { name: 'Export the history' }));
    await user.type(form.getByRole('textbox', { name: 'Path of the file to write' }), '/home/you/a.csv{Enter}');
    await form.findByText('2,000 of 48,210 written…');
    form.getByRole('progressbar', { name: 'Export' });
    await user.keyboard('{Escape}');
    await user.click(await findByRole('button', { name: 'Exporting 2,000' }));
    await user.click(await findByRole('button', { name: 'Stop' }));
    await findByText('The export was stopped. No file was written.');
    expect(getByRole('button', { name: 'Export…' })).toBeInTheDocument();
  });

  /** Unfolds the first command of that name. */
  async function unfold(window: Awaited<ReturnType<typeof openHistory>>, name: string) {
    const { history } = window.app;
    const wanted = history.rows.find((one) => one.command === name);
    history.filterBy(history.filter, wanted?.device);
    const row = await waitFor(() => {
      const found = window.rows().find((one) => one.dataset['commandId'] === wanted?.id);
      expect(found).toBeDefined();
      return found as HTMLElement;
    });
    await window.user.click(row);
    await window.findByText('Request');
    return wanted?.id ?? '';
  }

  it('sends a command again under a new id that names the old one', async () => {
    const window = await openHistory();
    const id = await unfold(window, 'identify');
    await window.user.click(window.getByRole('button', { name: 'Send again' }));
    await window.findByText(/^Sent again as/);
    await window.user.click(window.getByRole('button', { name: 'Show the newest' }));
    await waitFor(() => expect(window.rows()[0]).toHaveTextContent('Again'));
    const { commands } = await window.backend.history({
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
    expect(commands[0]).toMatchObject({ command: 'identify', again_of: id });
    expect(commands[0]?.id).not.toBe(id);
  });

  it('asks before a dangerous command is sent again', async () => {
    const window = await openHistory();
    const again: string[] = [];
    const original = window.backend.sendAgain.bind(window.backend);
    window.backend.sendAgain = (...which) => {
      again.push(which[2]);
      return original(...which);
    };
    const id = await unfold(window, 'restart');
    await window.user.click(window.getByRole('button', { name: 'Send again…' }));
    const question = within(await window.findByRole('dialog', { name: /^Send restart to .* again\?$/ }));
    expect(question.getByRole('button', { name: 'Cancel' })).toHaveFocus();
    await window.user.click(question.getByRole('button', { name: 'Cancel' }));
    expect(again).toEqual([]);
    await window.user.click(window.getByRole('button', { name: 'Send again…' }));
    await window.user.click(await window.findByRole('button', { name: 'Send again' }));
    await window.findByText(/^Sent again as/);
    expect(again).toEqual([id]);
  });

  it('says why a command could not be sent again', async () => {
    const window = await openHistory();
    await unfold(window, 'identify');
    window.backend.sendAgain = () =>
      Promise.reject({ code: 'store', message: 'The disk is full.', hint: 'Make room.' });
    await window.user.click(window.getByRole('button', { name: 'Send again' }));
    expect(await window.findByRole('alert')).toHaveTextContent('The disk is full. Make room.');
  });

  it('does not say of another command that it could not be sent again', async () => {
    const window = await openHistory();
    await unfold(window, 'identify');
    let refuse: (reason: unknown) => void = () => undefined;
    window.backend.sendAgain = () => new Promise((_, reject) => (refuse = reject));
    await window.user.click(window.getByRole('button', { name: 'Send again' }));
    window.app.history.filterBy(window.app.history.filter, '');
    await waitFor(() => expect(window.app.history.rows.some((one) => one.command === 'led')).toBe(true));
    await unfold(window, 'led');
    refuse({ code: 'store', message: 'The disk is full.', hint: null });
    await waitFor(() => expect(window.app.history.unfolded.againFailure?.failure.message).toBe('The disk is full.'));
    expect(window.queryByText(/The disk is full/)).toBeNull();
  });

  it('says why a command could not be stopped, and still shows what is known of it', async () => {
    const sent = [{ after: 2, change: { state: 'sent' } }];
    const window = await openHistory({ fates: [sent] });
    window.backend.cancel = () =>
      Promise.reject({ code: 'invalid', message: 'The command has already ended.', hint: null });
    const past = window.app.history.rows.find((row) => row.command === 'identify');
    await window.backend.sendAgain('demo', past?.device ?? '', past?.id ?? '', 'no', null);
    await waitFor(() => expect(window.rows()[0]).toHaveTextContent('Sent'));
    await window.user.click(window.rows()[0] as HTMLElement);
    await window.findByText('Request');
    await window.user.click(window.getByRole('button', { name: 'Stop waiting' }));
    expect(await window.findByRole('alert')).toHaveTextContent('The command has already ended.');
    window.getByText('Request');
    window.getByText('Answers');
  });

  it('says that the clipboard cannot be written to', async () => {
    const window = await openHistory();
    await unfold(window, 'identify');
    vi.spyOn(navigator.clipboard, 'writeText').mockRejectedValueOnce(new Error('Denied.'));
    await window.user.click(window.getByRole('button', { name: 'Copy as JSON' }));
    await window.findByText('Could not write to the clipboard.');
    await window.user.click(window.getByRole('button', { name: 'Copy as JSON' }));
    await window.findByRole('button', { name: 'Copied' });
    expect(JSON.parse(await navigator.clipboard.readText())).toMatchObject({ command: { command: 'identify' } });
  });

  it('copies a command as it is typed at a shell, and moves nothing beside it', async () => {
    const window = await openHistory();
    await unfold(window, 'config.set');
    const words = window.getByText('Copy as CLI command');
    // Both words have their room at all times.
    expect(words).toHaveAttribute('data-other', 'Copied');
    await window.user.click(window.getByRole('button', { name: 'Copy as CLI command' }));
    expect(await window.findByText('Copied')).toBe(words);
    expect(words).toHaveAttribute('data-other', 'Copy as CLI command');
    const line = await navigator.clipboard.readText();
    expect(line).toMatch(/^wilco send -c 'Demo fleet' -d \S+ config\.set /);
    const original = window.backend.command.bind(window.backend);
    window.backend.command = async (...which) => ({ ...(await original(...which)), shell_line: null });
    window.app.history.unfold(window.app.history.rows[0] ?? null);
    await waitFor(() => expect(window.getByRole('button', { name: 'Copy as CLI command' })).toBeDisabled());
  });
});
