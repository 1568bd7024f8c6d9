/** The columns that the list of devices can have. */

import type { SortBy } from '../backend/bindings/SortBy';
import type { ViewColumn } from '../backend/bindings/ViewColumn';
import type { Column } from './columns';
import { visible } from './text';

export interface GridColumn extends Column {
  /** Tells it from all others. */
  key: string;
  name: string;
  /** The value it shows; null for the first one, which has the id. */
  shows: ViewColumn | null;
  sort?: SortBy;
  number?: boolean;
}

type Fixed = Exclude<ViewColumn['column'], 'config' | 'telemetry'>;

const ID: GridColumn = { key: 'device', name: 'Device', shows: null, sort: 'device', least: 118, grows: 1.2 };

const FIXED: Record<Fixed, Omit<GridColumn, 'key' | 'shows'>> = {
  name: { name: 'Name', sort: 'name', least: 96, grows: 1 },
  presence: { name: 'Presence', sort: 'presence', least: 74 },
  led: { name: 'LED', sort: 'led', least: 40 },
  last_command: { name: 'Last command', sort: 'last_command', least: 84, grows: 1 },
  state: { name: 'State', sort: 'state', least: 136, most: 148 },
  took: { name: 'Took', sort: 'took', number: true, least: 50 },
  seen: { name: 'Seen', sort: 'seen', number: true, least: 44 },
  firmware: { name: 'Firmware', sort: 'firmware', least: 52 },
  tags: { name: 'Tags', sort: 'tags', least: 96, grows: 1.4 },
  trip: { name: 'Trip', sort: 'trip', number: true, least: 48 },
  desired: { name: 'Configuration', sort: 'desired', least: 92, most: 120 },
};

/** The usual columns, each with its turn to go where there is too little room. */
const USUAL: [column: Fixed, rank?: number][] = [
  ['presence'],
  ['led'],
  ['last_command'],
  ['state'],
  ['took', 3],
  ['seen', 5],
  ['firmware', 2],
  ['tags', 4],
  ['trip', 1],
];

export const USUAL_COLUMNS: readonly ViewColumn[] = USUAL.map(([column]) => ({ column }));

/** Every column that is not of the configuration or a measurement. */
export const FIXED_COLUMNS: readonly ViewColumn[] = (Object.keys(FIXED) as Fixed[]).map((column) => ({ column }));

/** Whether two are the same column. */
export function isSameSort(one: SortBy, other: SortBy): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

export function columnKey(column: ViewColumn): string {
  if (column.column === 'config') return `config.${column.key}`;
  return column.column === 'telemetry' ? `telemetry.${column.series}` : column.column;
}

export function columnName(column: ViewColumn): string {
  if (column.column === 'config') return visible(column.key);
  return column.column === 'telemetry' ? visible(column.series) : FIXED[column.column].name;
}

/**
 * The columns of the list. Where there is too little room the usual ones go first, and those that were added stay for
 * longest.
 */
export function gridColumns(chosen: readonly ViewColumn[] | null): GridColumn[] {
  const usual = new Map<Fixed, number | undefined>(USUAL.map(([column, rank]) => [column, rank]));
  return [
    ID,
    ...(chosen ?? USUAL_COLUMNS).map((column, i) => {
      const added = column.column === 'config' || column.column === 'telemetry';
      const known = added ? undefined : usual.get(column.column);
      const rank = known ?? (chosen === null ? undefined : (added ? 200 : 100) - i);
      return { ...fixed(column), ...(rank !== undefined && { rank }) };
    }),
  ];
}

function fixed(column: ViewColumn): GridColumn {
  const [key, name] = [columnKey(column), columnName(column)];
  if (column.column === 'config')
    return { key, name, shows: column, sort: { config: column.key }, least: 72, grows: 0.6 };
  if (column.column === 'telemetry')
    return { key, name, shows: column, sort: { telemetry: column.series }, least: 116, number: true };
  return { ...FIXED[column.column], key, shows: column };
}
