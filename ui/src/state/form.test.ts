import { describe, expect, it } from 'vitest';

import { view } from '../backend/fake/connections';
import { FakeKits } from '../backend/fake/kits';
import { PRESETS } from '../backend/bindings/Presets';
import type { FileRole } from '../backend/bindings/FileRole';
import { complaints, placeOf, type Field } from './formErrors';
import { blankForm, entryOf, formOf, settle, withPreset, type Around, type Form } from './form';

const around = (given: Partial<Around> = {}): Around => ({
  kit: null,
  kept: null,
  presets: PRESETS,
  taken: [],
  named: [],
  ...given,
});
const form = (given: Partial<Form> = {}): Form => ({ ...blankForm(), address: 'mqtts://bench.local:8883', ...given });
const NOTHING = {
  password: false,
  certificate: false,
  authorities: false,
  server: false,
  proxy_password: false,
  device_passwords: false,
};

function kit(...files: (string | [string, FileRole])[]) {
  const read = files.map((file) => (typeof file === 'string' ? (['/kit/' + file, 'any'] as const) : file));
  return new FakeKits().read({
    kit: null,
    files: read.map(([path, role]) => ({ path, role })),
    passphrase: null,
    shown: null,
  });
}

describe('values derived from a form', () => {
  const check = (given: Partial<Form>, beside: Partial<Around>, expected: Partial<ReturnType<typeof settle>>) =>
    expect(settle(form(given), around(beside))).toMatchObject(expected);

  it('needs no more than a kit and an endpoint for AWS', () => {
    check(
      { address: 'a3k9-ats.iot.eu-central-1.amazonaws.com' },
      { kit: kit('kit.zip') },
      {
        preset: 'aws',
        url: 'mqtts://a3k9-ats.iot.eu-central-1.amazonaws.com:8883',
        trust: 'authorities',
        alpn: '',
        name: 'AWS IoT eu-central-1',
        certificate: true,
      },
    );
  });

  it('knows AWS by the address or by the certificate', () => {
    check({ address: 'x.iot.eu-west-1.amazonaws.com' }, {}, { preset: 'aws' });
    check({ address: '' }, { kit: kit('aws-certificate.pem.crt') }, { preset: 'aws' });
    check({ address: 'x.amazonaws.com.example.net' }, {}, { preset: 'plain' });
    check({ address: 'x.iot.eu-west-1.amazonaws.com', preset: 'emqx' }, {}, { preset: 'emqx' });
  });

  it('offers the ALPN protocol of AWS on port 443, until another one is entered', () => {
    const address = 'mqtts://x.iot.eu-west-1.amazonaws.com:443';
    check({ address }, {}, { alpn: 'x-amzn-mqtt-ca' });
    check({ address, alpn: 'mqtt' }, {}, { alpn: 'mqtt' });
    check({ address, alpn: '' }, {}, { alpn: '' });
  });

  it('reads a bare host by its port', () => {
    check({ address: 'bench.local:1883' }, {}, { url: 'mqtt://bench.local:1883' });
    check({ address: 'bench.local' }, {}, { url: 'mqtts://bench.local:8883' });
    check({ address: 'bench.local:8084', preset: 'emqx' }, {}, { url: 'wss://bench.local:8084/mqtt' });
    check({ address: 'bench.local:1883' }, { kit: kit('ca.crt') }, { url: 'mqtts://bench.local:1883' });
  });

  it('trusts added files before stored ones', () => {
    const kept = { ...NOTHING, server: true, authorities: true };
    check({}, {}, { trust: 'platform' });
    check({}, { kept }, { trust: 'pinned' });
    check({}, { kept, kit: kit('ca.crt') }, { trust: 'authorities' });
    check({ withoutCertificates: true }, { kept }, { trust: 'platform' });
    check({ trust: 'platform' }, { kit: kit('ca.crt') }, { trust: 'platform' });
  });

  it('suggests a name that is free', () => {
    check({}, { taken: ['bench.local', 'bench.local 2'] }, { name: 'bench.local 3' });
  });
});

describe('the entry made of a form', () => {
  it('hands over nothing for what was left empty', () => {
    expect(entryOf(form(), around())).toEqual({
      id: null,
      name: 'bench.local',
      url: 'mqtts://bench.local:8883',
      mode: 'normal',
      send_operator: false,
      needs_approval: false,
      preset: 'plain',
      mqtt: '5',
      client_id: null,
      username: null,
      password: null,
      dialects: [{ name: 'wilco', settings: {} }],
      dialect_files: [],
      prefix: '',
      devices_named: [],
      keep_alive_s: 30,
      session_expiry_s: 3_600,
      trust: 'platform',
      server_name: null,
      alpn: [],
      proxy: null,
      proxy_password: null,
      kit: null,
      without_certificates: false,
      without_keyring: false,
      denied: [],
    });
  });

  it('is the connection again where nothing was changed', () => {
    const connection = view({
      id: 'c1',
      name: 'Bench',
      url: 'wss://bench.local:8084/mqtt',
      mode: 'protected',
      send_operator: true,
      needs_approval: true,
      preset: 'emqx',
      mqtt: '3.1.1',
      username: 'lena',
      dialects: [{ name: 'text', settings: {} }],
      dialect_files: [],
      prefix: 'cmd',
      devices_named: ['a', 'b', 'pump ', 'x,y'],
      keep_alive_s: 45,
      session_expiry_s: 60,
      trust: 'platform',
      server_name: 'other.name',
      alpn: ['mqtt', 'x'],
      proxy: { url: 'socks5://proxy:1080', username: 'lena' },
      has: { ...NOTHING, password: true, authorities: true, proxy_password: true },
    });
    expect(entryOf(formOf(connection), around({ kept: connection.has }), ['+/log'])).toMatchObject({
      id: 'c1',
      name: 'Bench',
      url: 'wss://bench.local:8084/mqtt',
      mode: 'protected',
      send_operator: true,
      needs_approval: true,
      preset: 'emqx',
      mqtt: '3.1.1',
      client_id: 'wilco-lena-5f3a',
      username: 'lena',
      password: null,
      dialects: [{ name: 'text', settings: {} }],
      dialect_files: [],
      prefix: 'cmd',
      devices_named: ['a', 'b', 'pump ', 'x,y'],
      keep_alive_s: 45,
      session_expiry_s: 60,
      trust: 'platform',
      server_name: 'other.name',
      alpn: ['mqtt', 'x'],
      proxy: { url: 'socks5://proxy:1080', username: 'lena' },
      proxy_password: null,
      kit: null,
      denied: ['+/log'],
    });
  });

  it('shows whether a stored password stays, changes or is removed', () => {
    const check = (given: Partial<Form>, password: string | null) =>
      expect(entryOf(form({ id: 'c1', username: 'lena', ...given }), around()).password).toBe(password);
    check({}, null);
    check({ password: 'new' }, 'new');
    check({ passwordRemoved: true }, '');
    check({ username: '' }, '');
  });
});

describe('another kind of broker', () => {
  it('sets its defaults, and keeps what was chosen', () => {
    const aws = form({ preset: 'aws', keepAlive: '30', sessionExpiry: '1200', alpn: 'x-amzn-mqtt-ca' });
    expect(withPreset(aws, 'emqx', PRESETS)).toMatchObject({
      preset: 'emqx',
      keepAlive: '',
      sessionExpiry: '1200',
      alpn: null,
    });
    expect(withPreset(form({ preset: 'aws', alpn: 'own' }), 'emqx', PRESETS).alpn).toBe('own');
  });
});

describe('complaints', () => {
  const check = (given: Partial<Form>, beside: Partial<Around>, field: Field, sentence: RegExp | null) => {
    const said = complaints(form(given), around(beside))[field];
    if (sentence === null) expect(said).toBeUndefined();
    else expect(said).toMatch(sentence);
  };

  it.each([
    [{ address: '' }, 'address', /^Enter the broker’s address/],
    [{ address: 'http://bench' }, 'address', /^Start the address/],
    [{ address: 'mqtts://lena:pw@bench' }, 'address', /in their fields/],
    [{ address: 'mqtts://a b' }, 'address', /^Enter the host/],
    [{ password: 'x' }, 'password', /user name/],
    [{ prefix: 'cmd/+' }, 'prefix', /topic levels/],
    [{ devices: 'a\nb/c' }, 'devices', /one topic level/],
    [{ devices: 'a\npump ' }, 'devices', /“pump␣” begins or ends with a space/],
    [{ name: 'Bench ' }, 'name', /ends with a space/],
    [{ name: 'Bench\u200b' }, 'name', /invisible character: Bench\\u200b/],
    [{ name: '\u202eBench' }, 'name', /invisible character: \\u202eBench/],
    [{ keepAlive: '4' }, 'keepAlive', /from 5 to 3,600/],
    [{ keepAlive: '20', preset: 'aws' }, 'keepAlive', /from 30 to 1,200 on AWS/],
    [{ keepAlive: '7.5' }, 'keepAlive', /whole number/],
    [{ sessionExpiry: '604801' }, 'sessionExpiry', /seven days/],
    [{ serverName: 'https://x' }, 'serverName', /host name/],
    [{ proxyUrl: 'proxy:3128' }, 'proxyUrl', /http:\/\/host:port/],
    [{ proxyUsername: 'lena' }, 'proxyUrl', /proxy’s address/],
    [{ trust: 'authorities' }, 'trust', /No CA certificate/],
    [{ trust: 'pinned' }, 'trust', /path of the certificate/],
  ] as [Partial<Form>, Field, RegExp][])('are said of %j', (given, field, sentence) =>
    check(given, {}, field, sentence),
  );

  it('are said of files that cannot be used', () => {
    check({}, { kit: kit('device.p12') }, 'kit', /locked/);
    check({}, { kit: kit('a.crt') }, 'kit', /cannot be used yet/);
    check({}, { kit: kit('kit.zip') }, 'kit', null);
    check({ address: 'mqtt://bench' }, { kit: kit('kit.zip') }, 'address', /^Certificates require/);
  });

  it('are not said of what is in order', () => {
    expect(complaints(form({ prefix: 'cmd/fleet-1', proxyUrl: 'socks5://p:1080' }), around())).toEqual({});
    check({ trust: 'pinned' }, { kit: kit(['/s.crt', 'server']) }, 'trust', null);
    check({ name: 'Bench' }, { taken: ['Bench'] }, 'name', /already exists/);
    // One that the connection has already is meant.
    check({ devices: 'a\npump ' }, { named: ['pump '] }, 'devices', null);
  });

  it('are shown on the step where they can be fixed', () => {
    expect([placeOf('kit'), placeOf('proxyUrl'), placeOf('devices')]).toEqual(['files', 'endpoint', 'topics']);
  });
});
