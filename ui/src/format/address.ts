/** The address of a broker, as typed. */

import type { Scheme } from '../backend/bindings/Scheme';
import type { TransportOption } from '../backend/bindings/TransportOption';

export interface Address {
  /** Nothing where only a host was written. */
  scheme: Scheme | null;
  host: string;
  port: number | null;
  /** Of a WebSocket, with its leading slash. */
  path: string;
  /** Of a WebSocket, with its question mark. It may hold a token: it is handed over and never shown. */
  query: string;
}

const WRITTEN =
  /^(?:(mqtts?|wss?):\/\/)?(\[[\da-f:.]+(?:%[\w.-]+)?\]|[^\s/:@?#[\]\\]+)(?::(\d{1,5}))?(\/[^\s?#\\@]*)?(\?[^\s#\\@]*)?$/i;
const PORTS: Record<Scheme, number> = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 };

/** The parts of an address; null if the text is not one. */
export function readAddress(text: string): Address | null {
  const found = WRITTEN.exec(text.trim());
  if (!found) return null;
  const [, scheme, host = '', port, path = '', query = ''] = found;
  const number = port === undefined ? null : Number(port);
  if (number !== null && (number < 1 || number > 65_535)) return null;
  return {
    scheme: (scheme?.toLowerCase() as Scheme | undefined) ?? null,
    host,
    port: number,
    path: scheme !== undefined && !/^ws/i.test(scheme) ? path.replace(/^\/$/, '') : path,
    query: query.replace(/^\?$/, ''),
  };
}

/** The whole address: what was not written is taken from the way. */
export function wholeUrl(address: Address, way: Pick<TransportOption, 'scheme' | 'port' | 'path'>): string {
  const bare = address.scheme === null;
  const scheme = address.scheme ?? way.scheme;
  const port = address.port ?? (bare ? way.port : PORTS[scheme]);
  const path = isWebSocket(scheme) ? address.path : address.path.replace(/^\/$/, '');
  return `${scheme}://${address.host}:${port}${path || (bare ? way.path : '')}${address.query}`;
}

/** A whole address for people: what its query says is not shown. */
export function shownUrl(url: string): string {
  return url.replace(/\?.*$/s, '?…');
}

function isWebSocket(scheme: Scheme): boolean {
  return scheme.startsWith('ws');
}

/** The same host by another way. */
export function byWay(address: Address, way: TransportOption): string {
  return `${way.scheme}://${address.host}:${way.port}${way.path}`;
}

/** Whether a whole address goes this way. */
export function usesTransport(url: string, way: TransportOption): boolean {
  const address = readAddress(url);
  if (address?.scheme !== way.scheme) return false;
  return (address.port ?? PORTS[address.scheme]) === way.port && (address.path || way.path) === way.path;
}

/** The way that an address goes; on a port of the broker's own, the only one that looks like it. */
export function wayOf(url: string, ways: TransportOption[]): TransportOption | null {
  const exact = ways.find((way) => usesTransport(url, way));
  if (exact) return exact;
  const [only, ...others] = ways.filter((way) => readAddress(url)?.scheme === way.scheme);
  return only && others.length === 0 ? only : null;
}

export function isEncrypted(url: string): boolean {
  return /^(mqtts|wss):/i.test(url);
}

/** `8883, mutual TLS`: the port of a whole address, and what it is protected by. */
export function portText(url: string, certificate: boolean): string {
  const address = readAddress(url);
  if (!address?.scheme) return '';
  const socket = isWebSocket(address.scheme) ? 'WebSocket, ' : '';
  const shield = isEncrypted(url) ? (certificate ? 'mutual TLS' : 'TLS') : 'not encrypted';
  return `${address.port ?? PORTS[address.scheme]}, ${socket}${shield}`;
}
