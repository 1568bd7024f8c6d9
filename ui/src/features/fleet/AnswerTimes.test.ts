import { waitFor, within } from '@testing-library/svelte';
import { expect, it, vi } from 'vitest';

import type { TimesView } from '../../backend/bindings/TimesView';
import { openDevice } from '../../test/device';

const USUAL: TimesView = {
  name: 'led',
  count: 40,
  p50_ms: 20,
  p95_ms: 80,
  p99_ms: 90,
  max_ms: 95,
  slow_after_ms: 3_600_000,
  suggested_timeout_ms: 1_000,
};

it('says how long a device usually takes, and when its latest command is slower than usual', async () => {
  const { app, backend, inspector, user } = await openDevice('bench-0001');
  const asked = vi.spyOn(backend, 'answerTimes');
  asked.mockImplementation(async () => [USUAL]);
  const press = async () => {
    const before = app.inspected.detail?.commands[0]?.id;
    await user.click(inspector.getByRole('switch', { name: 'LED' }));
    await waitFor(() => {
      const latest = app.inspected.detail?.commands[0];
      expect(latest?.id).not.toBe(before);
      expect(latest?.final).toBe(true);
    });
  };
  await press();
  const times = within(await inspector.findByRole('region', { name: 'Answer times' }));
  await times.findByRole('row', { name: 'led 20 ms 80 ms 90 ms' });
  expect(asked.mock.lastCall?.[0]).toMatchObject({ device: 'bench-0001', by: 'command' });
  expect(times.queryByText(/Slower than usual/)).toBeNull();
  // Every duration counts as slow now.
  asked.mockImplementation(async () => [{ ...USUAL, slow_after_ms: -1 }]);
  await press();
  await times.findByText('Slower than usual');
  expect(times.getByRole('status')).toHaveTextContent('95 % of its led commands take up to 80 ms.');
});
