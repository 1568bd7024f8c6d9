import { expect, it } from 'vitest';

import { fit } from './columns';
import { columnKey, FIXED_COLUMNS, gridColumns, USUAL_COLUMNS } from './gridColumns';

const names = (width: number, columns: Parameters<typeof gridColumns>[0]) =>
  fit(gridColumns(columns), width, 12).shown.map(({ name }) => name);

it('shows the usual columns where none were chosen', () => {
  expect(names(2_000, null)).toEqual([
    ...['Device', 'Presence', 'LED', 'Last command', 'State', 'Took', 'Seen', 'Firmware', 'Tags', 'Trip'],
  ]);
});

it('shows the columns that were chosen in their order, and those that were added for longest', () => {
  const added = [
    { column: 'config', key: 'interval' },
    { column: 'telemetry', series: 'temperature' },
  ] as const;
  const chosen = [...USUAL_COLUMNS.slice(3), ...added];
  expect(names(2_000, chosen).slice(-3)).toEqual(['Trip', 'interval', 'temperature']);
  expect(names(520, chosen)).toEqual(['Device', 'State', 'interval', 'temperature']);
  expect(columnKey(added[0])).toBe('config.interval');
});

it('sorts by every column', () => {
  const added = [
    { column: 'config', key: 'interval' },
    { column: 'telemetry', series: 'temperature' },
  ] as const;
  const columns = gridColumns([...FIXED_COLUMNS, ...added]);
  expect(columns.filter(({ sort }) => sort === undefined).map(({ name }) => name)).toEqual([]);
  expect(new Set(columns.map(({ sort }) => JSON.stringify(sort))).size).toBe(columns.length);
});
