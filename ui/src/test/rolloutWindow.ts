import { within } from '@testing-library/svelte';
import { vi } from 'vitest';

import type { NewRollout } from '../backend/bindings/NewRollout';
import { startRolloutDialog, type RolloutToPrepare } from '../features/rollouts/start.svelte';
import { newRollout } from './rollouts';
import { openFleet } from './window';

export const QUICK = { rolloutSpeed: 40 };
export const EVERY: RolloutToPrepare['target'] = { by: 'search', search: '' };
export const LED_ON = { name: 'led', args: '{"on":true}' };

/** The window with the list of rollouts. */
export async function openRollouts(options = {}) {
  const window = await openFleet({ ...QUICK, ...options });
  await window.user.click(window.getByRole('link', { name: /^Rollouts/ }));
  return window;
}

/** The window with a rollout dialog, and the rollout that is passed to the engine. */
export async function openDialog(rollout: Partial<RolloutToPrepare> = {}, options = {}) {
  const window = await openFleet({ ...QUICK, ...options });
  const started = vi.spyOn(window.backend, 'startRollout');
  startRolloutDialog({ connection: 'demo', target: EVERY, command: LED_ON, ...rollout });
  const dialog = await window.findByRole('dialog', { name: /rollout/ });
  return { ...window, dialog, inside: within(dialog), request: () => started.mock.calls[0]?.[0] as NewRollout };
}

/** The page of a running rollout. */
export async function openPage(rollout: Partial<NewRollout> = {}, options = {}) {
  const window = await openRollouts(options);
  const view = await window.backend.startRollout(newRollout(rollout));
  await window.user.click(await window.findByRole('link', { name: new RegExp(`Rollout ${view.number}`) }));
  await window.findByRole('treegrid', { name: 'Devices of this rollout' });
  return { ...window, view };
}
