/** The names that devices report: the columns and tile colours to choose from. The engine's completions list them. */

import type { ViewColumn } from '../../backend/bindings/ViewColumn';
import type { Fleet } from '../../state/fleet.svelte';

const MEASUREMENT = 'telemetry.';
const CONFIGURATION = 'config.';

/** Columns of the configuration and of measurements, at most 24. */
export async function reportedColumns(fleet: Fleet): Promise<ViewColumn[]> {
  const keys = await namesAfter(fleet, CONFIGURATION);
  const series = await measurementNames(fleet);
  return [
    ...keys.map((key): ViewColumn => ({ column: 'config', key })),
    ...series.map((name): ViewColumn => ({ column: 'telemetry', series: name })),
  ];
}

/** The names of measurements, at most 12. */
export function measurementNames(fleet: Fleet): Promise<string[]> {
  return namesAfter(fleet, MEASUREMENT);
}

async function namesAfter(fleet: Fleet, prefix: string): Promise<string[]> {
  const connection = fleet.query?.connection;
  if (connection === undefined) return [];
  const { completions } = await fleet.backend.readSearch(connection, prefix, prefix.length);
  return completions.flatMap(({ text }) => nameIn(text, prefix));
}

/** The name in a field of the search: `telemetry.temperature:`, or with its name in quotes. */
function nameIn(field: string, prefix: string): string[] {
  if (!field.startsWith(prefix)) return [];
  const name = field.slice(prefix.length).replace(/:$/, '');
  if (name === '') return [];
  return [name.startsWith('"') ? name.slice(1, -1).replaceAll(/\\(.)/g, '$1') : name];
}
