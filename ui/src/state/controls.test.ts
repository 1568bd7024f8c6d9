import { afterEach, expect, it, vi } from 'vitest';

import { Controls } from './controls';

const search: unique symbol = Symbol('search');
const remove: unique symbol = Symbol('remove');

afterEach(() => vi.useRealTimers());

it('activates the control of the row that is meant', () => {
  const controls = new Controls();
  const activated: string[] = [];
  controls.register(remove, () => activated.push('remove a'), 'a');
  const withdraw = controls.register(remove, () => activated.push('remove b'), 'b');
  controls.register(search, () => activated.push('search'));
  controls.activate(remove, 'b');
  controls.activate(search);
  controls.activate(remove, 'a');
  expect(activated).toEqual(['remove b', 'search', 'remove a']);
  withdraw();
  controls.activate(remove, 'b');
  expect(activated).toHaveLength(3);
});

it('activates a control as soon as it is drawn, and not when that takes too long', async () => {
  vi.useFakeTimers();
  const controls = new Controls();
  const activated: string[] = [];
  const draw = async (of: string) => {
    controls.register(remove, () => activated.push(of), of);
    await Promise.resolve();
  };
  controls.activate(remove, 'b');
  await draw('a');
  expect(activated).toEqual([]);
  await draw('b');
  expect(activated).toEqual(['b']);
  controls.activate(remove, 'c');
  vi.advanceTimersByTime(1_001);
  await draw('c');
  expect(activated).toEqual(['b']);
});
