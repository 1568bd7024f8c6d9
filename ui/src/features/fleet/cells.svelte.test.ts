import { flushSync } from 'svelte';
import { expect, it } from 'vitest';

import type { Backend } from '../../backend/backend';
import type { ViewColumn } from '../../backend/bindings/ViewColumn';
import { Cells } from './cells.svelte';

it('draws a cell again once its column is loaded, though it was drawn before', async () => {
  const columns: ViewColumn[] = [
    { column: 'config', key: 'interval' },
    { column: 'telemetry', series: 'temperature' },
  ];
  const backend = {
    deviceCells: async () => [{ device: 'pump', config: ['60', null], measured: [[], [20, 21]] }],
  };
  const cells = new Cells(backend as unknown as Backend);
  const drawn: unknown[] = [];
  const [config, telemetry] = columns as [ViewColumn, ViewColumn];
  const stop = $effect.root(() => {
    $effect(() => void drawn.push(['config', cells.config('pump', config)]));
    $effect(() => void drawn.push(['telemetry', cells.measured('pump', telemetry).at(-1) ?? null]));
  });
  flushSync();
  expect(drawn.splice(0)).toEqual([
    ['config', null],
    ['telemetry', null],
  ]);
  cells.want('bench', ['pump'], columns);
  await Promise.resolve();
  await Promise.resolve();
  await Promise.resolve();
  flushSync();
  expect(drawn.slice(-2)).toEqual([
    ['config', '60'],
    ['telemetry', 21],
  ]);
  stop();
});
