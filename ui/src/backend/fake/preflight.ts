/**
 * A preflight that opens no connection. The host's name decides the outcome: `deny` fails at Subscribe, `wrong-ca` at TLS,
 * `self-signed` too until it is pinned, `nobody` at TCP, `password` at Connect, `old` speaks MQTT 3.1.1, `warn` passes with warnings, `slow` takes its time.
 */

import type { ConnectionEntry } from '../bindings/ConnectionEntry';
import type { PreflightStep } from '../bindings/PreflightStep';
import type { PreflightView } from '../bindings/PreflightView';
import type { PreflightFinding } from '../bindings/PreflightFinding';
import type { Step } from '../bindings/Step';
import { wait } from './failure';

const NAMES: [Step, string][] = [
  ['name', 'Name'],
  ['tcp', 'TCP'],
  ['tls', 'TLS'],
  ['web_socket', 'WebSocket'],
  ['connect', 'Connect'],
  ['subscribe', 'Subscribe'],
  ['publish', 'Publish'],
  ['round_trip', 'Round trip'],
];
const TOOK = [12, 19, 47, 22, 96, 38, 31, 58];

export class FakePreflight {
  #stopped = 0;

  constructor(
    /** Milliseconds a step. */
    readonly pace: number,
  ) {}

  stop(): void {
    this.#stopped += 1;
  }

  async run(entry: ConnectionEntry, from: Step | null, onView: (view: PreflightView) => void): Promise<PreflightView> {
    const before = this.#stopped;
    const start = NAMES.findIndex(([step]) => step === (from ?? 'name'));
    const socket = entry.url.startsWith('ws');
    let steps: PreflightStep[] = NAMES.filter(([step]) => step !== 'web_socket' || socket).map(([step, name]) => {
      const done = NAMES.findIndex(([other]) => other === step) < start;
      return {
        step,
        name,
        state: 'waiting',
        said: 'Not tested',
        took_ms: null,
        finding: null,
        ...(done && passed(entry, step)),
      };
    });
    const show = (view: Partial<PreflightView>): PreflightView => ({
      steps,
      done: false,
      ok: false,
      verdict: '',
      denied: entry.url.includes('warn') ? ['+/telemetry'] : [],
      ...view,
    });
    const put = (step: Step, change: Partial<PreflightStep>) => {
      steps = steps.map((other) => (other.step === step ? { ...other, ...change } : other));
      onView(show({}));
    };
    for (const { step, name, state } of steps) {
      if (state !== 'waiting') continue;
      put(step, { state: 'running', said: step === 'subscribe' ? `Subscribing to ${filtersOf(entry)[0]}` : 'Trying' });
      await wait(entry.url.includes('slow') ? this.pace * 12 : this.pace);
      if (this.#stopped !== before) {
        put(step, { state: 'waiting', said: 'Stopped' });
        return show({ done: true, verdict: `You stopped the test at ${name}.` });
      }
      const result = outcome(entry, step);
      put(step, result);
      if (result.state === 'failed') return show({ done: true, verdict: `Stopped at ${name}.` });
    }
    return show({ done: true, ok: true, verdict: 'All steps passed.' });
  }
}

const prefixOf = ({ prefix }: ConnectionEntry) => (prefix === '' ? '' : `${prefix}/`);

/** The filters of the answers, as the engine subscribes to them. */
function filtersOf(entry: ConnectionEntry): string[] {
  const devices = entry.devices_named.length === 0 ? ['+'] : entry.devices_named;
  return devices.map((device) => `${prefixOf(entry)}${device}/resp`);
}

function subscribed(filters: string[]): string {
  const [first, second] = filters;
  if (filters.length > 2) return `Subscribed to ${first} and ${filters.length - 1} more`;
  return second === undefined ? `Subscribed to ${first}` : `Subscribed to ${first} and ${second}`;
}

function outcome(entry: ConnectionEntry, step: Step): Partial<PreflightStep> {
  const fails = (word: string, at: Step) => entry.url.includes(word) && step === at;
  if (fails('nobody', 'tcp')) return failed('Refused', REFUSALS.nobody);
  if (fails('wrong-ca', 'tls')) return failed('The certificate was not believed', REFUSALS.wrongCa);
  if (fails('password', 'connect')) return failed('Refused: bad user name or password', REFUSALS.password);
  if (fails('deny', 'subscribe')) return failed('Refused: connection closed', denial(entry));
  if (fails('self-signed', 'tls') && entry.trust !== 'pinned') return failed('Not accepted', REFUSALS.selfSigned);
  if (fails('old', 'connect') && entry.mqtt === '5') return failed('Refused', REFUSALS.oldVersion);
  const fine = passed(entry, step);
  if (fails('warn', 'round_trip')) return { ...fine, state: 'warned', took_ms: 88, finding: REFUSALS.nagle };
  return fine;
}

function passed(entry: ConnectionEntry, step: Step): Partial<PreflightStep> {
  const host = /:\/\/([^/:]+)/.exec(entry.url)?.[1] ?? '';
  const port = /:(\d+)/.exec(entry.url)?.[1] ?? '';
  const took_ms = TOOK[NAMES.findIndex(([other]) => other === step)] ?? 1;
  if (step === 'tls' && !/^(mqtts|wss)/.test(entry.url)) {
    return { state: 'skipped', said: 'Not encrypted: the address has no TLS', took_ms: null };
  }
  const said: Record<Step, string> = {
    name: `3 addresses for ${host}`,
    tcp: `Connected to 203.0.113.24, port ${port}`,
    tls: 'TLS 1.3. Server certificate verified: signed by Amazon Root CA 1, name matches',
    web_socket: 'MQTT over WebSocket at /mqtt',
    connect: `The broker accepted the connection. MQTT ${entry.mqtt}, keep-alive ${entry.keep_alive_s} s`,
    subscribe: subscribed(filtersOf(entry)),
    publish: `The broker accepted a message on ${prefixOf(entry)}wilco-lena/req`,
    round_trip: "Received Wilco's own message in 58 ms (median of 5)",
  };
  return { state: 'passed', said: said[step], took_ms, finding: null };
}

function failed(said: string, finding: PreflightFinding): Partial<PreflightStep> {
  return { state: 'failed', said, took_ms: 38, finding };
}

const SELF_SIGNED = '5b:9e:34:91:a0:5f:6e:d9:ea:2f:3d:b8:36:94:a9:e4:82:60:4f:38:a2:7a:7c:83:f9:3b:47:b5:1c:e2:cd:75';
const NOTHING_ELSE = { policy: null, pin: null, version: null };

const REFUSALS = {
  selfSigned: {
    title: 'The broker’s certificate is self-signed (CN=bench.local)',
    why: 'It sent a self-signed certificate for CN=bench.local.',
    hint: `If it is your broker’s, pin this certificate. First compare its SHA-256 fingerprint with the one on the broker: ${SELF_SIGNED}`,
    trace: null,
    ...NOTHING_ELSE,
    pin: SELF_SIGNED,
  },
  oldVersion: {
    title: 'The broker supports MQTT 3.1.1, not MQTT 5',
    why: 'It answered CONNECT with a CONNACK of MQTT 3.1.1 (return code 1).',
    hint: 'Use MQTT 3.1.1 for this connection.',
    trace: 'CONNECT, then CONNACK with reason 0x01 after 2 ms.',
    ...NOTHING_ELSE,
    version: '3.1.1',
  },
  nobody: {
    title: 'Nothing listens at this address',
    why: 'The computer is there and refused the connection at once, so no broker runs on this port.',
    hint: 'Check the port: brokers usually listen on 8883 with TLS and on 1883 without.',
    trace: 'SYN, then RST after 1 ms.',
    ...NOTHING_ELSE,
  },
  wrongCa: {
    title: 'The broker’s certificate is signed by a CA that this connection does not trust',
    why: 'It is signed by CN=Bench CA, a CA that this connection does not trust.',
    hint: 'Add the CA certificate “CN=Bench CA”, often called ca.crt, and try again.',
    trace: 'The handshake ended with the alert unknown_ca.',
    ...NOTHING_ELSE,
  },
  password: {
    title: 'The broker does not know this user name, or the password is another one',
    why: 'CONNACK carries the reason 0x86, bad user name or password.',
    hint: 'Type both again. Capital letters count.',
    trace: 'CONNECT, then CONNACK 0x86 after 21 ms.',
    ...NOTHING_ELSE,
  },
  nagle: {
    title: 'Round trips stick at 88 ms on a fast line',
    why: 'The broker and the other side each hold small packets back for 40 ms (Nagle’s algorithm).',
    hint: 'Add set_tcp_nodelay true to mosquitto’s configuration.',
    trace: null,
    ...NOTHING_ELSE,
  },
} satisfies Record<string, PreflightFinding>;

function denial(entry: ConnectionEntry): PreflightFinding {
  const prefix = prefixOf(entry);
  return {
    title: `The broker closed the connection when Wilco subscribed to ${prefix}+/resp`,
    why: 'AWS IoT closes the connection without a reason if the policy does not allow a subscription. CONNECT passed, so the certificate is active. The policy attached to it most likely allows only the topics of the kit’s sample, sdk/test/*.',
    hint: 'In the AWS console open Security, Policies, and the policy of this certificate. Add this minimal policy for Wilco as a new version, make it active, then try again.',
    trace: 'SUBSCRIBE id 2, then the connection was closed after 38 ms.',
    ...NOTHING_ELSE,
    policy: policy(prefix),
  };
}

function policy(before: string): string {
  const arn = 'arn:aws:iot:eu-central-1:418273905511';
  return `{ "Version": "2012-10-17", "Statement": [
  { "Effect": "Allow", "Action": "iot:Connect",
    "Resource": "${arn}:client/wilco-*" },
  { "Effect": "Allow", "Action": "iot:Subscribe",
    "Resource": "${arn}:topicfilter/${before}+/resp" },
  { "Effect": "Allow", "Action": "iot:Receive",
    "Resource": "${arn}:topic/${before}*/resp" },
  { "Effect": "Allow", "Action": "iot:Publish",
    "Resource": "${arn}:topic/${before}*/req" } ] }`;
}
