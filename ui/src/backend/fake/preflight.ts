/**
 * A preflight that reaches nobody. The host's name says how it goes: `deny` fails at Subscribe, `wrong-ca` at TLS,
 * `nobody` at TCP, `password` at Connect, `warn` passes with remarks, `slow` takes its time.
 */

import type { ConnectionEntry } from '../bindings/ConnectionEntry';
import type { PreflightStep } from '../bindings/PreflightStep';
import type { PreflightView } from '../bindings/PreflightView';
import type { Remark } from '../bindings/Remark';
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
        said: 'Not tried',
        took_ms: null,
        remark: null,
        ...(done && passed(entry, step)),
      };
    });
    const show = (view: Partial<PreflightView>): PreflightView => ({
      steps,
      done: false,
      ok: false,
      verdict: 'Trying…',
      denied: entry.url.includes('warn') ? ['+/telemetry'] : [],
      ...view,
    });
    const put = (step: Step, change: Partial<PreflightStep>) => {
      steps = steps.map((other) => (other.step === step ? { ...other, ...change } : other));
      onView(show({}));
    };
    for (const { step, name, state } of steps) {
      if (state !== 'waiting') continue;
      put(step, { state: 'running', said: DOING[step] });
      await wait(entry.url.includes('slow') ? this.pace * 12 : this.pace);
      if (this.#stopped !== before) {
        put(step, { state: 'waiting', said: 'Not tried' });
        return show({ done: true, verdict: 'Stopped by you.' });
      }
      const result = outcome(entry, step);
      put(step, result);
      if (result.state === 'failed') return show({ done: true, verdict: `Stopped at ${name}.` });
    }
    return show({ done: true, ok: true, verdict: 'All steps passed.' });
  }
}

const DOING: Record<Step, string> = {
  name: 'Looking up the name…',
  tcp: 'Opening a connection…',
  tls: 'Shaking hands…',
  web_socket: 'Asking for a WebSocket…',
  connect: 'Saying who we are…',
  subscribe: 'Asking to hear answers…',
  publish: 'Sending to a topic of our own…',
  round_trip: 'Waiting for our own message…',
};

function outcome(entry: ConnectionEntry, step: Step): Partial<PreflightStep> {
  const fails = (word: string, at: Step) => entry.url.includes(word) && step === at;
  if (fails('nobody', 'tcp')) return failed('Refused', REFUSALS.nobody);
  if (fails('wrong-ca', 'tls')) return failed('The certificate was not believed', REFUSALS.wrongCa);
  if (fails('password', 'connect')) return failed('Refused: bad user name or password', REFUSALS.password);
  if (fails('deny', 'subscribe')) return failed('Refused: connection closed', denial(entry));
  const fine = passed(entry, step);
  if (fails('warn', 'round_trip')) return { ...fine, state: 'warned', took_ms: 88, remark: REFUSALS.nagle };
  return fine;
}

function passed(entry: ConnectionEntry, step: Step): Partial<PreflightStep> {
  const host = /:\/\/([^/:]+)/.exec(entry.url)?.[1] ?? '';
  const port = /:(\d+)/.exec(entry.url)?.[1] ?? '';
  const took_ms = TOOK[NAMES.findIndex(([other]) => other === step)] ?? 1;
  if (step === 'tls' && !/^(mqtts|wss)/.test(entry.url)) {
    return { state: 'skipped', said: 'This address asks for none: nothing is encrypted', took_ms: null };
  }
  const said: Record<Step, string> = {
    name: `3 addresses for ${host}`,
    tcp: `Open to 203.0.113.24, port ${port}`,
    tls: 'TLS 1.3. The server is who it says: signed by Amazon Root CA 1, name matches',
    web_socket: 'The server speaks MQTT over WebSocket',
    connect: `The broker lets Wilco in. Receive maximum 100, keep-alive ${entry.keep_alive_s ?? 30} s`,
    subscribe: `Answers of ${entry.devices.length === 0 ? 'every device' : entry.devices.join(', ')} can be heard`,
    publish: 'The broker has taken a message on a topic of our own',
    round_trip: 'It came back',
  };
  return { state: 'passed', said: said[step], took_ms, remark: null };
}

function failed(said: string, remark: Remark): Partial<PreflightStep> {
  return { state: 'failed', said, took_ms: 38, remark };
}

const REFUSALS = {
  nobody: {
    title: 'Nothing listens at this address',
    why: 'The computer is there and refused the connection at once, so no broker runs on this port.',
    hint: 'Check the port: brokers usually listen on 8883 with TLS and on 1883 without.',
    trace: 'SYN, then RST after 1 ms.',
    policy: null,
  },
  wrongCa: {
    title: 'The server’s certificate is signed by somebody who is not trusted here',
    why: 'It is signed by “CN=Bench CA”, which is not among the authorities that were brought.',
    hint: 'Bring the certificate of “CN=Bench CA”, often called ca.crt, and try again.',
    trace: 'The handshake ended with the alert unknown_ca.',
    policy: null,
  },
  password: {
    title: 'The broker does not know this user name, or the password is another one',
    why: 'CONNACK carries the reason 0x86, bad user name or password.',
    hint: 'Type both again. Capital letters count.',
    trace: 'CONNECT, then CONNACK 0x86 after 21 ms.',
    policy: null,
  },
  nagle: {
    title: 'Round trips stick at 88 ms on a fast line',
    why: 'The broker and the other side each hold small packets back for 40 ms (Nagle’s algorithm).',
    hint: 'With mosquitto write set_tcp_nodelay true in its configuration.',
    trace: null,
    policy: null,
  },
} satisfies Record<string, Remark>;

function denial(entry: ConnectionEntry): Remark {
  const before = entry.prefix === null ? '' : `${entry.prefix}/`;
  return {
    title: `The broker hung up when Wilco asked to hear ${before}+/resp`,
    why: 'AWS IoT ends the connection without a word when a policy does not allow a subscription. CONNECT passed, so the certificate is active. The policy attached to it most likely allows only the topics of the kit’s sample, sdk/test/*.',
    hint: 'In the AWS console open Security, Policies, the policy of this certificate. Add this as a new version, make it active, then try again. It is the least that Wilco needs.',
    trace: 'SUBSCRIBE id 2, then the connection was closed after 38 ms.',
    policy: policy(before),
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
