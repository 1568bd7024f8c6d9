import { render } from '@testing-library/svelte';
import { expect, it } from 'vitest';

import Disagreeing from './Disagreeing.svelte';
import type { Opened } from './opened.svelte';

it('counts the devices that reported something else, and those that still do', () => {
  const shown = (disagreed: number, disagree: number) => {
    const { container, unmount } = render(Disagreeing, { opened: { detail: { disagreed, disagree } } as Opened });
    const text = container.textContent.replace(/\s+/g, ' ').trim();
    unmount();
    return text;
  };
  expect(shown(0, 0)).toBe('');
  expect(shown(1, 0)).toBe('1 device answered that it succeeded, but reported other values afterwards.');
  expect(shown(3, 2)).toBe(
    '3 devices answered that they succeeded, but reported other values afterwards. 2 still do: search for is:disagrees in Fleet.',
  );
});
