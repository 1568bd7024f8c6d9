/** The settings of a connection, which its view and its entry contain. */

import type { ConnectionSettings } from './bindings/ConnectionSettings';
import { DEFAULT_SETTINGS } from './bindings/Constants';

const NAMES = Object.keys(DEFAULT_SETTINGS) as (keyof ConnectionSettings)[];

/** The settings in it, without whatever else it contains. */
export function settingsOf(whole: ConnectionSettings): ConnectionSettings {
  return { ...DEFAULT_SETTINGS, ...Object.fromEntries(NAMES.map((name) => [name, whole[name]])) };
}
