import { render } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import axe from 'axe-core';
import { expect } from 'vitest';

import AppView from '../App.svelte';
import { fakeBackend, type FakeOptions } from '../backend/fake';
import { App } from '../app';

/** The whole window over an invented fleet. */
export function openWindow(options: FakeOptions = {}) {
  const backend = fakeBackend({ devices: 60, past: 150, startup: 5, pace: 1, ...options });
  const app = new App(backend);
  const screen = render(AppView, { app });
  return { ...screen, app, backend, user: userEvent.setup() };
}

/** The same with the demo fleet running. */
export async function openFleet(options: FakeOptions = {}) {
  const window = openWindow(options);
  await window.user.click(await window.findByRole('button', { name: 'Try the demo fleet' }));
  await window.findByRole('grid', { name: 'Devices' });
  await window.findByText('bench-0001');
  return window;
}

/** Expects that axe finds no problem. Colours are checked in screenshots, because jsdom draws none. */
export async function expectAccessible(container: Element) {
  const { violations } = await axe.run(container, { rules: { 'color-contrast': { enabled: false } } });
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual([]);
}
