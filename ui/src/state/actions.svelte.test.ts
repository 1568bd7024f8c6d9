import { expect, it } from 'vitest';
import { flushSync } from 'svelte';

import { openFleet } from '../test/window';

it('computes no key again while connections and devices only count', async () => {
  const { app } = await openFleet();
  let computed = 0;
  const end = $effect.root(() => {
    $effect(() => {
      app.actions.hint('window.palette');
      computed += 1;
    });
  });
  flushSync();
  expect(computed).toBe(1);
  for (let i = 0; i < 20; i++) {
    app.connections.list = app.connections.list.map((one) => ({ ...one, in_per_second: i }));
    flushSync();
  }
  expect(computed).toBe(1);
  app.inspected.choose('demo', 'bench-0001');
  flushSync();
  // Now there are keys for a device.
  expect(computed).toBe(2);
  end();
});
