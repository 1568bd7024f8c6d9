/** What can be told to be wrong with a form before the engine is asked: a sentence a field. */

import { isEncrypted } from '../words/address';
import { deviceComplaint, listed } from '../words/topics';
import { settle, type Around, type Form } from './form';

export type Complaints = Partial<Record<keyof Form | 'kit', string>>;

export type Field = keyof Complaints;
export type Ground = 'files' | 'endpoint' | 'topics';

const ELSEWHERE: Partial<Record<Field, Ground>> = { kit: 'files', prefix: 'topics', devices: 'topics' };

/** The step of the wizard on which a field stands. */
export function placeOf(field: Field): Ground {
  return ELSEWHERE[field] ?? 'endpoint';
}

export function complaints(form: Form, around: Around): Complaints {
  const wrong: Complaints = {};
  const say = (field: Field, sentence: string | null | undefined) => {
    if (sentence) wrong[field] = sentence;
  };
  say('kit', kitComplaint(around));
  say('address', addressComplaint(form, around));
  say('name', nameComplaint(form, around));
  say('password', form.password !== '' && form.username.trim() === '' ? 'A password needs a user name.' : null);
  say('prefix', prefixComplaint(form.prefix.trim()));
  say(
    'devices',
    listed(form.devices)
      .map(deviceComplaint)
      .find((sentence) => sentence !== null),
  );
  const aws = settle(form, around).preset === 'aws';
  say('keepAlive', rangeComplaint(form.keepAlive, aws ? 30 : 5, aws ? 1_200 : 3_600, aws ? ' on AWS' : ''));
  say('sessionExpiry', rangeComplaint(form.sessionExpiry, 0, 604_800, ', which is seven days'));
  say('trust', trustComplaint(form, around));
  say('serverName', /[\s/:]/.test(form.serverName.trim()) ? 'Write only a host name: broker.example.net.' : null);
  say('proxyUrl', proxyComplaint(form));
  return wrong;
}

function kitComplaint({ kit }: Around): string | null {
  if (kit?.locked) return 'Something is still locked: give its passphrase, or leave it out.';
  return kit && !kit.usable ? 'With these files it cannot work yet: what is wrong stands above.' : null;
}

function addressComplaint(form: Form, around: Around): string | null {
  const written = form.address.trim();
  const { url, certificate, presetView } = settle(form, around);
  if (written === '') return `Say where the broker is, for instance ${presetView?.example ?? 'mqtts://host:8883'}.`;
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(written) && !/^(mqtts?|wss?):\/\//i.test(written)) {
    return 'An address begins with mqtts:// or wss:// (with TLS), or with mqtt:// or ws:// (without).';
  }
  if (written.includes('@')) return 'User name and password have fields of their own: leave them out of the address.';
  if (url === '') return 'Write the host and, where it is not the usual one, the port: mqtts://host:8883.';
  const files = certificate || (around.kit?.authorities.length ?? 0) > 0;
  return files && !isEncrypted(url) ? 'With certificates the address begins with mqtts:// or wss://.' : null;
}

function nameComplaint(form: Form, around: Around): string | null {
  const name = form.name.trim();
  if (name !== '') {
    return around.taken.includes(name) ? `There is already a connection called “${name}”. Choose another name.` : null;
  }
  return settle(form, around).name === '' && form.address.trim() !== '' ? 'Give the connection a name.' : null;
}

function prefixComplaint(prefix: string): string | null {
  const plain = !/[+#]|^\$|^\/|\/\//.test(prefix);
  return plain ? null : 'A prefix is made of plain levels such as cmd/fleet-1, without + and #.';
}

function rangeComplaint(text: string, least: number, most: number, where: string): string | null {
  if (text.trim() === '') return null;
  const seconds = Number(text);
  const fits = Number.isInteger(seconds) && seconds >= least && seconds <= most;
  return fits ? null : `It is a whole number of seconds from ${least} to ${most.toLocaleString('en')}${where}.`;
}

function trustComplaint(form: Form, around: Around): string | null {
  const kept = form.withoutCertificates ? null : around.kept;
  if (form.trust === 'authorities' && !around.kit?.authorities.length && !kept?.authorities) {
    return 'No authority was brought. Add its certificate on the first step, or trust this computer’s roots.';
  }
  if (form.trust === 'pinned' && !around.kit?.server && !kept?.server) {
    return 'Say which certificate: give the path of its file and choose Add.';
  }
  return null;
}

function proxyComplaint(form: Form): string | null {
  const url = form.proxyUrl.trim();
  if (url === '') {
    return form.proxyUsername.trim() !== '' || form.proxyPassword !== '' ? 'Say where the proxy is.' : null;
  }
  return /^(http|socks5):\/\/(\[[\da-f:.]+\]|[^\s/:@?#]+):\d{1,5}\/?$/i.test(url)
    ? null
    : 'Write it as http://host:port or socks5://host:port.';
}
