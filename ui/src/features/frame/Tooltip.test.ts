import { fireEvent, render } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import Tooltip from './Tooltip.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('is not shown again where the pointer rests after a press', async () => {
  const { container } = render(Tooltip);
  const button = document.body.appendChild(document.createElement('button'));
  button.title = 'Keys: L';
  const part = button.appendChild(document.createElement('span'));
  const over = async (element: Element) => {
    await fireEvent.pointerOver(element, { pointerType: 'mouse' });
    await vi.advanceTimersByTimeAsync(400);
  };
  const tooltip = () => container.querySelector('.tooltip');
  await over(button);
  expect(tooltip()).toHaveTextContent('L');
  await fireEvent.pointerDown(button);
  expect(tooltip()).toBeNull();
  // Something in the control has moved below the pointer.
  await over(part);
  await over(button);
  expect(tooltip()).toBeNull();
  await over(container);
  await over(button);
  expect(tooltip()).toHaveTextContent('L');
  button.remove();
});
