import { render } from '@testing-library/svelte';
import { tick } from 'svelte';
import { expect, it, onTestFinished, vi } from 'vitest';

import Sparkline from './Sparkline.svelte';

it('is measured when it appears and when the window changes, and never for a new value', async () => {
  const measured = vi.spyOn(HTMLCanvasElement.prototype, 'getBoundingClientRect');
  const styled = vi.spyOn(window, 'getComputedStyle');
  onTestFinished(() => void vi.restoreAllMocks());
  const reads = () => measured.mock.calls.length + styled.mock.calls.length;
  const { rerender } = render(Sparkline, { values: [1, 2] });
  await tick();
  expect(reads()).toBe(2);
  for (let i = 0; i < 60; i++) await rerender({ values: [1, 2, i] });
  expect(reads()).toBe(2);
  window.dispatchEvent(new Event('resize'));
  await tick();
  expect(reads()).toBe(4);
});
