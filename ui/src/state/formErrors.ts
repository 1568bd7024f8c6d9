/** Validation of the connection form before the engine validates it: one sentence for each field. */

import type { SecondsRange } from '../backend/bindings/SecondsRange';
import { isEncrypted } from '../format/address';
import { visible } from '../format/text';
import { deviceError, listed, spacedError } from '../format/topics';
import { settle, type Around, type Form } from './form';

export type FormErrors = Partial<Record<keyof Form | 'kit' | 'dialects', string>>;

export type Field = keyof FormErrors;
export type Ground = 'files' | 'endpoint' | 'topics';

const ELSEWHERE: Partial<Record<Field, Ground>> = {
  kit: 'files',
  dialects: 'topics',
  prefix: 'topics',
  devices: 'topics',
};

/** The step of the wizard that contains a field. */
export function placeOf(field: Field): Ground {
  return ELSEWHERE[field] ?? 'endpoint';
}

export function complaints(form: Form, around: Around): FormErrors {
  const wrong: FormErrors = {};
  const say = (field: Field, sentence: string | null | undefined) => {
    if (sentence) wrong[field] = sentence;
  };
  say('kit', kitError(around));
  say('address', addressError(form, around));
  say('name', nameError(form, around) ?? spaceError(form.name, 'name') ?? unseenError(form.name));
  say('clientId', spaceError(form.clientId, 'client ID'));
  say('username', spaceError(form.username, 'user name'));
  say('proxyUsername', spaceError(form.proxyUsername, 'user name'));
  say('password', form.password !== '' && form.username === '' ? 'A password needs a user name.' : null);
  say('dialects', form.settings.dialects.length === 0 ? 'Choose at least one dialect.' : null);
  say('prefix', prefixError(form.prefix) ?? spaceError(form.prefix, 'prefix'));
  say(
    'devices',
    listed(form.devices)
      .map((device) => deviceError(device) ?? (around.named.includes(device) ? null : spacedError(device)))
      .find((sentence) => sentence !== null),
  );
  const { preset, presetView } = settle(form, around);
  const on = preset === 'aws' ? ' on AWS' : '';
  say('keepAlive', rangeError(form.keepAlive, presetView?.keep_alive_range, on));
  say('sessionExpiry', rangeError(form.sessionExpiry, presetView?.session_expiry_range, ', which is seven days'));
  say('trust', trustError(form, around));
  say(
    'serverName',
    /[\s/:]/.test(form.serverName.trim()) ? 'Enter only a host name, for example broker.example.net.' : null,
  );
  say('proxyUrl', proxyError(form));
  return wrong;
}

function kitError({ kit }: Around): string | null {
  if (kit?.locked) return 'A file is still locked. Enter its passphrase, or remove the file.';
  return kit && !kit.usable ? 'These files cannot be used yet. Fix the problems listed above.' : null;
}

function addressError(form: Form, around: Around): string | null {
  const written = form.address.trim();
  const { url, certificate, presetView } = settle(form, around);
  if (written === '') return `Enter the broker’s address, for example ${presetView?.example ?? 'mqtts://host:8883'}.`;
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(written) && !/^(mqtts?|wss?):\/\//i.test(written)) {
    return 'Start the address with mqtts:// or wss:// (with TLS), or with mqtt:// or ws:// (without).';
  }
  if (written.includes('@')) return 'Enter the user name and password in their fields, not in the address.';
  if (written.includes('#')) return 'An address cannot contain #. Enter a user name or password in its own field.';
  if (url === '') return 'Enter the host and, if it is not the default, the port: mqtts://host:8883.';
  const files = certificate || (around.kit?.authorities.length ?? 0) > 0;
  return files && !isEncrypted(url) ? 'Certificates require an address that starts with mqtts:// or wss://.' : null;
}

function nameError(form: Form, around: Around): string | null {
  const { name } = form;
  if (name !== '') {
    return around.taken.includes(name) ? `A connection named “${name}” already exists. Choose another name.` : null;
  }
  return settle(form, around).name === '' && form.address.trim() !== '' ? 'Enter a name for the connection.' : null;
}

/** Names and topics are used exactly as entered, and a space at either end is invisible. */
function spaceError(text: string, what: string): string | null {
  return text.trim() === text ? null : `The ${what} begins or ends with a space. Remove the space.`;
}

/** A name by which people tell connections apart has nothing in it that nobody sees. */
function unseenError(entered: string): string | null {
  const shown = visible(entered);
  return shown === entered ? null : `The name contains an invisible character: ${shown}. Remove it.`;
}

function prefixError(prefix: string): string | null {
  const plain = !/[+#]|^\$|\/\//.test(prefix);
  return plain ? null : 'Enter topic levels without the wildcards + and #, for example cmd/fleet-1.';
}

function rangeError(text: string, range: SecondsRange | undefined, where: string): string | null {
  if (range === undefined || text.trim() === '') return null;
  const { least, most } = range;
  const seconds = Number(text);
  const fits = Number.isInteger(seconds) && seconds >= least && seconds <= most;
  return fits ? null : `Enter a whole number of seconds from ${least} to ${most.toLocaleString('en')}${where}.`;
}

function trustError(form: Form, around: Around): string | null {
  const kept = form.withoutCertificates ? null : around.kept;
  if (form.trust === 'authorities' && !around.kit?.authorities.length && !kept?.authorities) {
    return 'No CA certificate was added. Add one in the first step, or trust this computer’s roots.';
  }
  if (form.trust === 'pinned' && !around.kit?.server && !kept?.server) {
    return 'Enter the path of the certificate file and press Add.';
  }
  return null;
}

function proxyError(form: Form): string | null {
  const url = form.proxyUrl.trim();
  if (url === '') {
    return form.proxyUsername !== '' || form.proxyPassword !== '' ? 'Enter the proxy’s address.' : null;
  }
  return /^(http|socks5):\/\/(\[[\da-f:.]+\]|[^\s/:@?#]+):\d{1,5}\/?$/i.test(url)
    ? null
    : 'Enter it as http://host:port or socks5://host:port.';
}
