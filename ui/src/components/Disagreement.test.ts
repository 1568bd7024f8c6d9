import { render } from '@testing-library/svelte';
import { expect, it } from 'vitest';

import Disagreement from './Disagreement.svelte';

it('distinguishes current reports from those after the answer', async () => {
  const disagreement = { command: 'c1', text: 'Answered ON, reports OFF', past: false };
  const { getByText, rerender } = render(Disagreement, { disagreement });
  expect(getByText(/its report does not show it/)).toHaveTextContent('Answered ON, reports OFF');
  await rerender({ disagreement: { ...disagreement, text: 'Answered ON, reported OFF', past: true } });
  expect(getByText(/its report ten seconds later did not show it/)).toHaveTextContent('Answered ON, reported OFF');
});
