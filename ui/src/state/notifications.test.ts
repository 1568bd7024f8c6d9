import { expect, it, vi } from 'vitest';

import { newRollout } from '../test/rollouts';
import { openFleet } from '../test/window';
import { NEEDS_ATTENTION_NOW } from './historyFilters';

const EVERYTHING = {
  connection: 'demo',
  device: null,
  states: [],
  since: null,
  search: '',
  automatic: false,
  needs_attention: false,
  cursor: null,
  limit: 1,
};

it('shows what a notification was about once it is clicked', async () => {
  const { app, backend } = await openFleet();
  const [last] = (await backend.history(EVERYTHING)).commands;
  if (!last) throw new Error('there is no command');
  backend.clickNotification({ connection: 'demo', command: [last.device, last.id], rollout: null, bad: true });
  await vi.waitFor(() => expect(app.history.unfolded.detail?.command.id).toBe(last.id));
  expect(app.route.screen).toBe('history');
  expect(app.history.device).toBe(last.device);

  app.route.go('settings');
  backend.clickNotification({ connection: 'demo', command: null, rollout: null, bad: true });
  await vi.waitFor(() => expect(app.route.screen).toBe('history'));
  expect(app.history.filter).toBe(NEEDS_ATTENTION_NOW);
  expect(app.history.device).toBe('');

  backend.clickNotification({ connection: 'demo', command: ['bench-0001', 'forgotten'], rollout: null, bad: false });
  await vi.waitFor(() => expect(app.notices.list.length).toBe(1));
});

it('shows the rollout that halted, waits or finished', async () => {
  const { app, backend, findByRole } = await openFleet();
  const started = await backend.startRollout(newRollout());
  backend.clickNotification({ connection: 'demo', command: null, rollout: started.id, bad: false });
  await findByRole('link', { name: 'All rollouts' });
  expect(app.route.parameters.get('rollout')).toBe(started.id);
});
