/** Descriptions of a connection, in words. */

import type { ConnectionMode } from '../backend/bindings/ConnectionMode';
import type { EnabledDialect } from '../backend/bindings/EnabledDialect';
import type { MqttVersion } from '../backend/bindings/MqttVersion';
import type { Secrets } from '../backend/bindings/Secrets';
import type { Trust } from '../backend/bindings/Trust';
import { dialectText } from './dialects';

/** `MQTT 5, Wilco JSON, Tasmota`. */
export function speaks(
  mqtt: MqttVersion,
  dialects: readonly EnabledDialect[],
  titles: Readonly<Record<string, string>> = {},
): string {
  return [`MQTT ${mqtt}`, ...dialects.map((dialect) => dialectText(dialect, titles))].join(', ');
}

/** The modes of a connection: name and meaning. */
export const MODES: { value: ConnectionMode; name: string; note?: string }[] = [
  { value: 'normal', name: 'Normal' },
  {
    value: 'protected',
    name: 'Protected',
    note: 'You confirm every command; dangerous commands and rollouts by typing the connection’s name.',
  },
  {
    value: 'read_only',
    name: 'Read-only',
    note: 'Wilco sends nothing. Commands that were not sent yet are cancelled, and rollouts are paused.',
  },
];

export function modeText(mode: ConnectionMode): string {
  return MODES.find(({ value }) => value === mode)?.name ?? mode;
}

const TRUST: Record<Trust, string> = {
  platform: 'This computer’s roots, and Amazon’s',
  authorities: 'Only your CA certificates',
  pinned: 'One pinned certificate',
};

export function trustText(trust: Trust): string {
  return TRUST[trust];
}

/** `certificate with key, authorities and password`: the secrets that are kept. */
export function keptText(has: Secrets): string {
  const kept = [
    has.certificate && 'certificate with key',
    has.authorities && 'authorities',
    has.server && 'the server’s certificate',
    has.password && 'password',
    has.proxy_password && 'the proxy’s password',
    has.device_passwords && 'device passwords',
  ].filter((word) => word !== false);
  const last = kept.pop();
  return kept.length === 0 ? (last ?? 'nothing') : `${kept.join(', ')} and ${last}`;
}
