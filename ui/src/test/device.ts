import { within } from '@testing-library/svelte';

import type { Step } from '../backend/fake/fate';
import { openFleet } from './window';

/** A command that is accepted quickly, and succeeds a moment later. */
export const STEPS: Step[] = [
  { after: 1, change: { state: 'sent' } },
  { after: 1, change: { state: 'at_broker' } },
  { after: 1, change: { state: 'accepted', match: 'exact' } },
  { after: 250, change: { state: 'succeeded' }, effect: 'led' },
];

/** The window with the inspector of one device. */
export async function openDevice(device: string, options = {}) {
  const window = await openFleet(options);
  await window.user.click(window.getByText(device, { selector: '.device' }));
  const inspector = within(await window.findByRole('complementary', { name: `Inspector: ${device}` }));
  await inspector.findByRole('switch', { name: 'LED' });
  return { ...window, inspector };
}
