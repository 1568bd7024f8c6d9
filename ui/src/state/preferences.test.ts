import { waitFor } from '@testing-library/svelte';
import { expect, it, vi } from 'vitest';

import { DEFAULT_PREFERENCES } from '../backend/backend';
import { fakeBackend } from '../backend/fake';
import { openWindow } from '../test/window';
import { Preferences } from './preferences.svelte';

it('everything is made larger and smaller by the keys that browsers have for it', async () => {
  const { app, backend, user, findByRole } = openWindow();
  await findByRole('button', { name: 'Try the demo fleet' });
  const setZoom = vi.spyOn(backend, 'setZoom');
  const press = async (keys: string, zoom: number) => {
    await user.keyboard(keys);
    await waitFor(() => expect(app.preferences.zoom).toBe(zoom));
    expect(setZoom).toHaveBeenLastCalledWith(zoom);
  };
  await press('{Control>}={/Control}', 1.1);
  await press('{Control>}{Shift>}+{/Shift}{/Control}', 1.25);
  await press('{Control>}-{/Control}', 1.1);
  await press('{Control>}0{/Control}', 1);
  await press('{Control>}-{/Control}', 0.9);
  expect(await backend.loadPreferences()).toMatchObject({ zoom: 0.9 });
});

it('no size is beyond the smallest and the largest', async () => {
  const preferences = new Preferences(fakeBackend());
  for (let i = 0; i < 12; i++) await preferences.zoomBy(1);
  expect(preferences.zoom).toBe(2);
  for (let i = 0; i < 12; i++) await preferences.zoomBy(-1);
  expect(preferences.zoom).toBe(0.5);
});

it('a size is kept over restarts, and one that cannot be is not taken', async () => {
  const check = async (kept: number, zoom: number) => {
    const backend = fakeBackend();
    const setZoom = vi.spyOn(backend, 'setZoom');
    await backend.savePreferences({ ...DEFAULT_PREFERENCES, zoom: kept });
    const preferences = new Preferences(backend);
    await preferences.load();
    expect(preferences.zoom).toBe(zoom);
    expect(setZoom).toHaveBeenLastCalledWith(zoom);
  };
  await check(1.5, 1.5);
  await check(90, 2);
  await check(Number.NaN, 1);
});

it('says from 150 % on that there is no room beside a list', async () => {
  const preferences = new Preferences(fakeBackend());
  await preferences.zoomTo(1.25);
  expect(document.documentElement.dataset['zoom']).toBeUndefined();
  await preferences.zoomTo(1.5);
  expect(document.documentElement.dataset['zoom']).toBe('large');
  await preferences.zoomTo(1);
  expect(document.documentElement.dataset['zoom']).toBeUndefined();
});
