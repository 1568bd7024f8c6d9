/** The appearance of each device on the wall. */

import { lookOfPresence, lookOfState, lookOfValue, LOOKS, type Look } from '../../../components/tile';
import { COMMAND_STATES } from '../../../backend/bindings/Constants';
import type { DeviceGroup } from '../../../backend/bindings/DeviceGroup';
import type { DeviceList } from '../../../state/deviceList';
import type { TileColours } from '../../../state/fleet.svelte';
import { hasFailed, PRESENCES, stateOf } from '../../../format/states';

const NUMBER = new Map<Look, number>(LOOKS.map((look, number) => [look, number]));
/** The number of measurements from which the span is taken. */
const SAMPLE = 2_000;

export interface Span {
  low: number;
  high: number;
}

/** The span from the lowest to the highest measurement without outliers; null without measurements. */
export function spanOf(values: readonly (number | null)[]): Span | null {
  const step = Math.max(1, Math.floor(values.length / SAMPLE));
  const sample: number[] = [];
  for (let i = 0; i < values.length; i += step) {
    const value = values[i];
    if (typeof value === 'number' && Number.isFinite(value)) sample.push(value);
  }
  if (sample.length === 0) return null;
  sample.sort((a, b) => a - b);
  const at = (share: number) => sample[Math.round(share * (sample.length - 1))] ?? 0;
  return { low: at(0.02), high: at(0.98) };
}

/** The numbers of looks by presence and state, so that none is looked up twice. */
function table(colours: TileColours): Uint8Array {
  const width = COMMAND_STATES.length + 1;
  const numbers = new Uint8Array(PRESENCES.length * width);
  PRESENCES.forEach((presence, i) => {
    for (let state = 0; state < width; state++) {
      const look = colours === 'presence' ? lookOfPresence(presence) : lookOfState(stateOf(state), presence);
      numbers[i * width + state] = NUMBER.get(look) ?? 0;
    }
  });
  return numbers;
}

const TABLES = { state: table('state'), presence: table('presence') };

/** A look's number for every device. */
export function looksOf(list: DeviceList, colours: TileColours, span: Span | null): Uint8Array<ArrayBuffer> {
  const looks = new Uint8Array(list.ids.length);
  for (let place = 0; place < looks.length; place++) looks[place] = lookAt(list, place, colours, span);
  return looks;
}

/** The look's number of the device at a place. */
export function lookAt(list: DeviceList, place: number, colours: TileColours, span: Span | null): number {
  if (list.values !== null) {
    return NUMBER.get(span === null ? 'idle' : lookOfValue(list.values[place], span.low, span.high)) ?? 0;
  }
  const presence = list.presence[place] ?? 2;
  return TABLES[colours][presence * (COMMAND_STATES.length + 1) + (list.states[place] ?? 0)] ?? 0;
}

const FAILED = [false, ...COMMAND_STATES.map((state) => hasFailed(state))];

/** How many devices of each group have failed. */
export function failedIn(states: readonly number[], groups: readonly Pick<DeviceGroup, 'from' | 'count'>[]): number[] {
  return groups.map(({ from, count }) => {
    let failed = 0;
    for (let place = from; place < from + count; place++) if (FAILED[states[place] ?? 0]) failed++;
    return failed;
  });
}
