import '@testing-library/jest-dom/vitest';

import { configure } from '@testing-library/svelte';
import { afterEach, expect } from 'vitest';

import { stopTimers } from './timers';

// A busy machine draws a window in seconds.
configure({ asyncUtilTimeout: 10_000 });

// APIs that jsdom lacks.
class NoResizes implements ResizeObserver {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}
globalThis.ResizeObserver ??= NoResizes;
HTMLCanvasElement.prototype.getContext = () => null;
Element.prototype.scrollIntoView = () => undefined;
window.matchMedia = (query) =>
  Object.assign(new EventTarget(), {
    matches: false,
    media: query,
    onchange: null,
    addListener: () => undefined,
    removeListener: () => undefined,
  });

// A modal dialog, as far as what is in it and the keyboard see.
HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
  this.open = true;
};
HTMLDialogElement.prototype.close ??= function (this: HTMLDialogElement) {
  this.open = false;
};

// What Svelte warns of is wrong, for instance state that no longer updates.
const warned: string[] = [];
const warn = console.warn.bind(console);
console.warn = (...words: unknown[]) => {
  if (String(words[0]).includes('[svelte]')) warned.push(String(words[0]));
  else warn(...words);
};

afterEach(() => {
  expect(warned.splice(0)).toEqual([]);
  stopTimers();
  window.location.hash = '';
});
