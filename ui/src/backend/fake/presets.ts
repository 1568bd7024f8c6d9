import type { PresetView } from '../bindings/PresetView';
import type { Scheme } from '../bindings/Scheme';
import type { Way } from '../bindings/Way';
import { DEFAULT_SETTINGS } from '../bindings/Constants';

const way = (name: string, scheme: Scheme, port: number, alpn: string[] = []): Way => ({
  name,
  scheme,
  port,
  path: scheme.startsWith('ws') ? '/mqtt' : '',
  alpn,
});

const PLAIN = way('Without TLS', 'mqtt', 1883);
const TLS = way('TLS', 'mqtts', 8883);

const { keep_alive_s, session_expiry_s } = DEFAULT_SETTINGS;
const USUAL = { keep_alive_s, session_expiry_s };

/** Roughly the engine's presets of the brokers. */
export const PRESETS: PresetView[] = [
  {
    preset: 'aws',
    name: 'AWS IoT Core',
    example: 'a3k9x2v7q-ats.iot.eu-central-1.amazonaws.com',
    ways: [
      way('TLS with a client certificate', 'mqtts', 8883),
      way('The same on port 443', 'mqtts', 443, ['x-amzn-mqtt-ca']),
      way('Custom authorizer on port 443', 'mqtts', 443, ['mqtt']),
    ],
    ...USUAL,
    notes: [
      'AWS IoT takes 100 messages a second from a connection and drops the rest; Wilco stays below.',
      'AWS IoT closes the connection without a reason if the policy forbids a topic; the preflight shows which.',
    ],
  },
  {
    preset: 'mosquitto',
    name: 'mosquitto',
    example: 'mqtts://broker.example.net:8883',
    ways: [TLS, PLAIN, way('WebSocket with TLS', 'wss', 8081)],
    ...USUAL,
    notes: ['Answers arrive faster with `set_tcp_nodelay true` in mosquitto’s configuration.'],
  },
  {
    preset: 'emqx',
    name: 'EMQX',
    example: 'mqtts://broker.example.net:8883',
    ways: [TLS, PLAIN, way('WebSocket with TLS', 'wss', 8084)],
    ...USUAL,
    notes: [],
  },
  {
    preset: 'hivemq',
    name: 'HiveMQ',
    example: 'mqtts://1234abcd.s1.eu.hivemq.cloud:8883',
    ways: [TLS, PLAIN, way('WebSocket with TLS', 'wss', 8884)],
    ...USUAL,
    notes: ['HiveMQ Cloud requires a user name and a password; this computer’s roots include its CA.'],
  },
  {
    preset: 'plain',
    name: 'Another broker',
    example: 'mqtts://broker.example.net:8883',
    ways: [TLS, PLAIN, way('WebSocket with TLS', 'wss', 443), way('WebSocket without TLS', 'ws', 80)],
    ...USUAL,
    notes: [],
  },
];
