import { describe, expect, it } from 'vitest';

import type { TransportOption } from '../backend/bindings/TransportOption';
import { byWay, usesTransport, portText, readAddress, shownUrl, wayOf, wholeUrl } from './address';

const TLS: TransportOption = { name: 'TLS', scheme: 'mqtts', port: 8883, path: '', alpn: [] };
const SOCKET: TransportOption = { name: 'WebSocket', scheme: 'wss', port: 8084, path: '/mqtt', alpn: [] };

describe('an address', () => {
  it.each([
    ['bench.local', 'mqtts://bench.local:8883'],
    ['bench.local:18883', 'mqtts://bench.local:18883'],
    ['MQTT://127.0.0.1', 'mqtt://127.0.0.1:1883'],
    ['mqtts://[::1]:8883/', 'mqtts://[::1]:8883'],
    ['wss://a.b/other', 'wss://a.b:443/other'],
    ['ws://a.b', 'ws://a.b:80'],
    ['ws://a.b/', 'ws://a.b:80/'],
    ['wss://a.b/mqtt?token=x', 'wss://a.b:443/mqtt?token=x'],
    ['mqtt://[fe80::1%eth0]', 'mqtt://[fe80::1%eth0]:1883'],
    ['mqtt://bücher.test', 'mqtt://bücher.test:1883'],
    ['bench.local/', 'mqtts://bench.local:8883'],
  ])('%s is read as %s', (written, url) => {
    const address = readAddress(written);
    expect(address && wholeUrl(address, TLS)).toBe(url);
  });
  it.each([
    '',
    'http://bench',
    'mqtts://',
    'mqtts://a b',
    'mqtts://user:pw@host',
    'mqtts://user:12/pw@host',
    'mqtts://host:port',
    'host:70000',
  ])('is not %j', (written) => expect(readAddress(written)).toBeNull());
  it('does not show its query', () => {
    expect(shownUrl('wss://a.b:443/mqtt?token=x')).toBe('wss://a.b:443/mqtt?…');
    expect(shownUrl('wss://a.b:443/mqtt')).toBe('wss://a.b:443/mqtt');
  });
  it('takes the path of a way where only the host was written', () => {
    expect(wholeUrl({ scheme: null, host: 'h', port: null, path: '', query: '' }, SOCKET)).toBe('wss://h:8084/mqtt');
  });
  it('can go another way, and knows which', () => {
    const address = readAddress('mqtts://h:8883');
    const url = address ? byWay(address, SOCKET) : '';
    expect(url).toBe('wss://h:8084/mqtt');
    expect([usesTransport(url, SOCKET), usesTransport(url, TLS), usesTransport('mqtts://h', TLS)]).toEqual([
      true,
      false,
      true,
    ]);
    expect([wayOf('mqtts://h:9999', [SOCKET, TLS]), wayOf('mqtts://h:9999', [TLS, TLS])]).toEqual([TLS, null]);
  });
  it.each([
    ['mqtts://h:8883', true, '8883, mutual TLS'],
    ['wss://h', false, '443, WebSocket, TLS'],
    ['mqtt://h', false, '1883, not encrypted'],
  ])('%s is described', (url, certificate, words) => expect(portText(url, certificate)).toBe(words));
});
