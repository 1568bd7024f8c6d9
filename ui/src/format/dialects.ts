/** Dialects and their devices, in words. */

import type { EnabledDialect } from '../backend/bindings/EnabledDialect';
import type { FoundDialect } from '../backend/bindings/FoundDialect';
import { counted } from './count';
import { visible, visibleName } from './text';

const TITLES: Record<string, string> = {
  wilco: 'Wilco JSON',
  text: 'text',
  tasmota: 'Tasmota',
  shelly: 'Shelly',
  zigbee2mqtt: 'Zigbee2MQTT',
  homeassistant: 'Home Assistant discovery',
  homie5: 'Homie 5',
  homie4: 'Homie 4',
  thingsboard: 'ThingsBoard',
};

/** `Zigbee2MQTT (house/z2m)`: a dialect and the settings that are not its defaults. `titles` are those of dialect files. */
export function dialectText({ name, settings }: EnabledDialect, titles: Readonly<Record<string, string>> = {}): string {
  const title = visibleName(titles[name] ?? TITLES[name] ?? name);
  const values = Object.values(settings).map(visible);
  return values.length === 0 ? title : `${title} (${values.join(', ')})`;
}

/** Whether a dialect is one of these, with whatever settings. */
export function speaksDialect(dialects: readonly EnabledDialect[], name: string): boolean {
  return dialects.some((dialect) => dialect.name === name);
}

/** `3 Shelly devices answer here`. */
export function answersHere({ devices, title }: FoundDialect): string {
  return `${counted(devices, `${title} device`)} ${devices === 1 ? 'answers' : 'answer'} here`;
}
