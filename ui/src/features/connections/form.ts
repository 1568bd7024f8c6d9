/** The form for a new connection: what can be told to be wrong before the engine is asked. */

import type { MqttVersion } from '../../backend/bindings/MqttVersion';
import type { NewConnection } from '../../backend/bindings/NewConnection';

export interface Form {
  name: string;
  url: string;
  mqtt: MqttVersion;
  clientId: string;
  username: string;
  password: string;
  prefix: string;
  ca: string;
  certificate: string;
  key: string;
  withoutKeyring: boolean;
}

export function blankForm(): Form {
  return {
    name: '',
    url: '',
    mqtt: '5',
    clientId: '',
    username: '',
    password: '',
    prefix: '',
    ca: '',
    certificate: '',
    key: '',
    withoutKeyring: false,
  };
}

type Complaints = Partial<Record<keyof Form, string>>;

export function complaints(form: Form): Complaints {
  const wrong: Complaints = {};
  if (form.name.trim() === '') wrong.name = 'Give the connection a name.';
  const url = form.url.trim();
  if (url === '') wrong.url = 'Say where the broker is: mqtts://host:8883, or mqtt://host:1883 without TLS.';
  else if (!/^mqtts?:\/\//i.test(url)) wrong.url = 'An address begins with mqtts:// (TLS) or mqtt:// (without).';
  else if (!/^mqtts?:\/\/(\[[\da-f:.]+\]|[^\s/:@?#]+)(:\d{1,5})?\/?$/i.test(url)) {
    wrong.url = 'Write just the host and, where it differs from the usual one, the port: mqtts://host:8883.';
  }
  if (form.certificate.trim() !== '' && form.key.trim() === '') wrong.key = 'A certificate needs its private key.';
  if (form.key.trim() !== '' && form.certificate.trim() === '')
    wrong.certificate = 'A private key needs its certificate.';
  const files = form.ca.trim() !== '' || form.certificate.trim() !== '';
  if (/^mqtt:\/\//i.test(url) && files) wrong.url = 'With certificates the address begins with mqtts://.';
  if (/[+#]|^\$|\/\//.test(form.prefix.trim())) {
    wrong.prefix = 'A prefix is made of plain levels such as cmd/fleet-1, without + and #.';
  }
  if (form.password !== '' && form.username.trim() === '') wrong.password = 'A password needs a user name.';
  return wrong;
}

export function connectionOf(form: Form): NewConnection {
  return {
    name: form.name.trim(),
    url: form.url.trim(),
    mqtt: form.mqtt,
    client_id: given(form.clientId),
    username: given(form.username),
    password: form.password === '' ? null : form.password,
    dialect: null,
    prefix: given(form.prefix),
    files: { ca: given(form.ca), certificate: given(form.certificate), key: given(form.key) },
    without_keyring: form.withoutKeyring,
  };
}

function given(text: string): string | null {
  return text.trim() === '' ? null : text.trim();
}
