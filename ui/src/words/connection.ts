/** What a connection is like, in words. */

import type { MqttVersion } from '../backend/bindings/MqttVersion';
import type { Secrets } from '../backend/bindings/Secrets';
import type { Trust } from '../backend/bindings/Trust';
import { visible } from './text';

const DIALECTS: Record<string, string> = { wilco: 'Wilco JSON', text: 'text' };

/** `MQTT 5, Wilco JSON`. */
export function speaks(mqtt: MqttVersion, dialect: string): string {
  return `MQTT ${mqtt}, ${DIALECTS[dialect] ?? visible(dialect)}`;
}

const TRUST: Record<Trust, string> = {
  platform: 'This computer’s roots, and Amazon’s',
  authorities: 'Only the authorities that were brought',
  pinned: 'Only one certificate',
};

export function trustWords(trust: Trust): string {
  return TRUST[trust];
}

/** `certificate with key, authorities and password`: the secrets that are kept. */
export function keptWords(has: Secrets): string {
  const kept = [
    has.certificate && 'certificate with key',
    has.authorities && 'authorities',
    has.server && 'the server’s certificate',
    has.password && 'password',
    has.proxy_password && 'the proxy’s password',
  ].filter((word) => word !== false);
  const last = kept.pop();
  return kept.length === 0 ? (last ?? 'nothing') : `${kept.join(', ')} and ${last}`;
}
