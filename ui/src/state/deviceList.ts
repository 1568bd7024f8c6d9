/** The list of devices as the engine orders it, and what changes in it while its order stays. */

import type { DeviceColumns } from '../backend/bindings/DeviceColumns';
import type { DeviceGroup } from '../backend/bindings/DeviceGroup';
import type { DeviceStates } from '../backend/bindings/DeviceStates';

/** The whole list, in the engine's order: everything at one place belongs to one device. */
export interface DeviceList {
  revision: number;
  ids: readonly string[];
  groups: readonly DeviceGroup[];
  presence: number[];
  states: number[];
  values: (number | null)[] | null;
}

export const EMPTY: DeviceList = { revision: 0, ids: [], groups: [], presence: [], states: [], values: null };

/** Whether a list of the same devices differs at most in presence and states. Never for an empty one. */
export function isAlike(list: DeviceList, { groups, values }: DeviceColumns): boolean {
  if (list.ids.length === 0 || values !== null || list.values !== null) return false;
  return JSON.stringify(groups) === JSON.stringify(list.groups);
}

/** Takes in presence and states of some devices. Returns the places of those that are listed. */
export function patchDevices(
  list: DeviceList,
  { devices, presence, states }: DeviceStates,
  placeOf: ReadonlyMap<string, number>,
): number[] {
  const places: number[] = [];
  devices.forEach((device, i) => {
    const place = placeOf.get(device);
    if (place === undefined) return;
    list.presence[place] = presence[i] ?? 2;
    list.states[place] = states[i] ?? 0;
    places.push(place);
  });
  return places;
}

/** Takes in presence and states of all devices. Returns the places of those that have changed. */
export function patchAll(list: DeviceList, { presence, states }: DeviceColumns): number[] {
  const places: number[] = [];
  for (let place = 0; place < list.ids.length; place++) {
    if (presence[place] === list.presence[place] && states[place] === list.states[place]) continue;
    list.presence[place] = presence[place] ?? 2;
    list.states[place] = states[place] ?? 0;
    places.push(place);
  }
  return places;
}
