import { expect, it } from 'vitest';

import type { DeviceRow } from '../../backend/bindings/DeviceRow';
import { longestLabel } from './labels';

it('reads each row once, however often the rows are looked at', () => {
  let reads = 0;
  const row = (device: string, name: string | null) =>
    ({
      get device() {
        reads += 1;
        return device;
      },
      name,
    }) as DeviceRow;
  const rows = Array.from({ length: 1_500 }, (_, i) => row(`pump-${i}`, i === 7 ? 'the first one' : null));
  expect(longestLabel(rows)).toBe('pump-7'.length + 2 + 'the first one'.length);
  expect(reads).toBe(1_500);
  // The feed brings three rows anew.
  rows.splice(0, 3, row('pump-0', null), row('pump-1', 'a longer name than before'), row('pump-2', null));
  expect(longestLabel(rows)).toBe('pump-1'.length + 2 + 'a longer name than before'.length);
  expect(reads).toBe(1_503);
});
