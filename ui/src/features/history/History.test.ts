import { waitFor, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';

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
    await findByText('As it came');
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
      const raw = { topic: 'a/resp', qos: 1, bytes: payload.length, payload, binary: false };
      const answer = { outcome: detail.command.state, reading: 'moved', progress: null, message: null, raw };
      return { ...detail, events: [{ at: 1, kind: 'answered', text: 'It answered.', attempt: 1, answer }] };
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

  it('takes new commands in on top', async () => {
    const { backend, rows } = await openHistory();
    await backend.send({
      connection: 'demo',
      devices: ['bench-0001'],
      command: 'identify',
      args: {},
      timeout_ms: null,
      ttl_ms: null,
      retries: null,
      delivery: null,
      no_answer: false,
      again_of: null,
    });
    await waitFor(() => expect(rows()[0]).toHaveTextContent('identify'));
  });
});
