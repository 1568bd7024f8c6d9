/** Desired configurations and how devices differ from them, in words. */

import type { DesiredState } from '../backend/bindings/DesiredState';
import type { DeviceDesired } from '../backend/bindings/DeviceDesired';
import type { ReportedKey } from '../backend/bindings/ReportedKey';
import { read, shown } from './config';
import { fromJson, readJson, toJson } from './json';
import { visible } from './text';

export const DESIRED_STATES: Record<DesiredState, string> = {
  as_wanted: 'As wanted',
  differs: 'Differs',
  unknown: 'Unknown',
};

/** The differences of a device, in one line; empty if it is as wanted. */
export function differencesOf({ state, differences }: DeviceDesired): string {
  if (state === 'unknown') return 'The device has not reported its configuration.';
  return differences
    .map(({ key, wanted, running, saved, by }) => {
      const has = running === null ? 'not reported' : shown(fromJson(running));
      const after = saved === null ? '' : `, ${shown(fromJson(saved))} after restart`;
      return visible(`${key}: ${has}${after}, wanted ${shown(fromJson(wanted))} (${by})`);
    })
    .join('\n');
}

/** A value as it was typed, read as what devices report of the key, or else as JSON or text. */
export function readWanted(typed: string, reported: ReportedKey | undefined) {
  const example = reported?.values[0]?.value;
  if (example !== undefined) return read(typed, fromJson(example));
  const found = readJson(typed.trim());
  return { ok: true as const, value: found.ok ? found.value : typed };
}

/** A wanted value as it is typed: text without quotes, unless it would be read as something else. */
export function typedOf(value: unknown, reported: ReportedKey | undefined): string {
  if (typeof value !== 'string') return toJson(value);
  const again = readWanted(value, reported);
  return again.ok && again.value === value ? value : toJson(value);
}
