import '@testing-library/jest-dom/vitest';

import { configure } from '@testing-library/svelte';
import { afterEach } from 'vitest';

// A busy machine draws a window in seconds.
configure({ asyncUtilTimeout: 10_000 });

// What jsdom does not have.
class NoResizes implements ResizeObserver {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}
globalThis.ResizeObserver ??= NoResizes;
HTMLCanvasElement.prototype.getContext = () => null;
window.matchMedia = (query) =>
  Object.assign(new EventTarget(), {
    matches: false,
    media: query,
    onchange: null,
    addListener: () => undefined,
    removeListener: () => undefined,
  });

afterEach(() => {
  window.location.hash = '';
});
