/** The connections of the invented engine. Their secrets are not stored. */

import type { ConnectionEntry } from '../bindings/ConnectionEntry';
import type { OwnDialect } from '../bindings/OwnDialect';
import type { ConnectionView } from '../bindings/ConnectionView';
import type { EnabledDialect } from '../bindings/EnabledDialect';
import type { Imported } from '../bindings/Imported';
import type { KitView } from '../bindings/KitView';
import type { Secrets } from '../bindings/Secrets';
import { DEFAULT_SETTINGS } from '../bindings/Constants';
import { settingsOf } from '../settings';
import { speaksDialect } from '../../format/dialects';
import { failure } from './failure';

const DAY = 86_400_000;
const NOTHING: Secrets = {
  password: false,
  certificate: false,
  authorities: false,
  server: false,
  proxy_password: false,
  device_passwords: false,
};

interface Exported {
  connections: ConnectionView[];
  passphrase: string | null;
}

const withDefaults = (name: string): EnabledDialect => ({ name, settings: {} });

export class FakeConnections {
  list: ConnectionView[] = [];
  readonly #files = new Map<string, Exported>();
  #last = 0;

  constructor(readonly keyring: boolean) {}

  save(entry: ConnectionEntry, kit: KitView | null): ConnectionView {
    const old = this.list.find((other) => other.id === entry.id);
    this.#refuse(entry);
    const has = secretsOf(entry, kit, old?.has ?? NOTHING);
    if (Object.values(has).some(Boolean)) this.#needKeyring(entry.without_keyring, 'the secrets cannot be stored');
    const certificate = kit?.certificate ?? null;
    const saved = view({
      ...old,
      ...settingsOf(entry),
      id: entry.id ?? `c${++this.#last}`,
      name: entry.name,
      url: entry.url,
      client_id: entry.client_id ?? old?.client_id ?? 'wilco-lena-5f3a',
      dialects: entry.dialects.length > 0 ? entry.dialects : DEFAULT_SETTINGS.dialects,
      has,
      in_memory_secrets: entry.without_keyring,
      certificate_subject: certificate?.subject ?? (has.certificate ? (old?.certificate_subject ?? null) : null),
      certificate_expires_at:
        certificate?.not_after ?? (has.certificate ? (old?.certificate_expires_at ?? null) : null),
      link: nobodyAnswers(entry.url),
    });
    this.#put(saved);
    return saved;
  }

  enable(id: string, names: string[]): ConnectionView {
    const old = this.#find(id);
    const added = names.filter((name) => !speaksDialect(old.dialects, name)).map(withDefaults);
    const dialects = [...old.dialects, ...added];
    const saved = { ...old, dialects, offers: old.offers.filter(({ name }) => !names.includes(name)) };
    this.#put(saved);
    return saved;
  }

  decline(id: string, names: string[]): void {
    const old = this.#find(id);
    this.#put({ ...old, offers: old.offers.filter(({ name }) => !names.includes(name)) });
  }

  ownDialects(id: string): OwnDialect[] {
    const { dialects, dialect_files: files } = this.#find(id);
    return files.map((text) => {
      const value = (name: string) => new RegExp(`^${name} = "(.*)"$`, 'm').exec(text)?.[1] ?? '';
      const name = value('name');
      const enabled = speaksDialect(dialects, name);
      return { name, title: value('title'), about: value('about'), text, enabled, settings: [] };
    });
  }

  saveDialect(id: string, text: string, replaces: string | null, enable: boolean): ConnectionView {
    const old = this.#find(id);
    const name = /^name = "(.*)"$/m.exec(text)?.[1] ?? '';
    const others = this.ownDialects(id).filter((own) => own.name !== name && own.name !== replaces);
    const dialects = old.dialects.filter((known) => known.name !== name && known.name !== replaces);
    const files = [...others.map((own) => own.text), text];
    const titles = { ...old.titles, [name]: /^title = "(.*)"$/m.exec(text)?.[1] ?? name };
    const enabled = enable ? [...dialects, withDefaults(name)] : dialects;
    const saved = { ...old, dialects: enabled, dialect_files: files, titles };
    this.#put(saved);
    return saved;
  }

  removeDialect(id: string, name: string): ConnectionView {
    const old = this.#find(id);
    const files = this.ownDialects(id).filter((own) => own.name !== name);
    const dialects = old.dialects.filter((known) => known.name !== name);
    const saved = { ...old, dialects, dialect_files: files.map(({ text }) => text) };
    this.#put(saved);
    return saved;
  }

  duplicate(id: string): ConnectionView {
    const old = this.#find(id);
    const copy = { ...old, id: `c${++this.#last}`, name: this.#free(`${old.name} copy`), client_id: 'wilco-lena-77b0' };
    this.#put(copy);
    return copy;
  }

  order(ids: string[]): void {
    this.list = ids.map((id) => this.#find(id));
  }

  renew(id: string, kit: KitView): ConnectionView {
    if (!kit.certificate || !kit.usable) throw failure('invalid', 'There is no certificate with its key in it.', null);
    const renewed: ConnectionView = {
      ...this.#find(id),
      certificate_subject: kit.certificate.subject,
      certificate_expires_at: kit.certificate.not_after,
    };
    this.#put(renewed);
    return renewed;
  }

  remove(id: string): void {
    this.list = this.list.filter((connection) => connection.id !== id);
  }

  export(ids: string[], path: string, passphrase: string | null): void {
    this.#files.set(path, { connections: ids.map((id) => this.#find(id)), passphrase });
  }

  /** Reads what was exported before; of any other file it invents the contents, encrypted if its name says so. */
  import(path: string, passphrase: string | null, withoutKeyring: boolean): Imported {
    if (path.includes('gone')) throw failure('file', `The file ${path} does not exist.`, 'Check the path.');
    const locked = path.includes('locked') ? 'correct horse battery' : null;
    const file = this.#files.get(path) ?? { connections: [ROTTERDAM], passphrase: locked };
    if (file.passphrase !== null && file.passphrase !== passphrase) {
      return { locked: true, names: [], without_secrets: [] };
    }
    if (file.passphrase !== null) this.#needKeyring(withoutKeyring, 'the secrets in it cannot be stored');
    const made = file.connections.map((connection) => ({
      ...connection,
      id: `c${++this.#last}`,
      name: this.#free(connection.name),
      has: file.passphrase === null ? NOTHING : connection.has,
    }));
    for (const connection of made) this.#put(connection);
    const names = made.map((connection) => connection.name);
    return { locked: false, names, without_secrets: file.passphrase === null ? names : [] };
  }

  #refuse(entry: ConnectionEntry): void {
    if (entry.name.trim() === '') throw failure('invalid', 'The connection has no name.', 'Give it one.');
    if (!/^(mqtts?|wss?):\/\/[^\s/]+/.test(entry.url)) {
      throw failure('invalid', 'The address is not one of a broker.', 'Write it as mqtts://host:8883.');
    }
    if (this.list.some((other) => other.name === entry.name && other.id !== entry.id)) {
      throw failure('invalid', `A connection named '${entry.name}' already exists.`, 'Choose another name.');
    }
  }

  #needKeyring(without: boolean, so: string): void {
    if (this.keyring || without) return;
    throw failure(
      'keyring',
      `This computer has no keyring, so ${so}.`,
      'Install one, for example gnome-keyring, or keep them in memory until Wilco closes.',
    );
  }

  #free(name: string): string {
    let free = name;
    for (let n = 2; this.list.some((other) => other.name === free); n++) free = `${name} ${n}`;
    return free;
  }

  #find(id: string): ConnectionView {
    const found = this.list.find((connection) => connection.id === id);
    if (!found) throw failure('not_found', 'There is no such connection.', null);
    return found;
  }

  #put(connection: ConnectionView): void {
    const known = this.list.some((other) => other.id === connection.id);
    this.list = known
      ? this.list.map((other) => (other.id === connection.id ? connection : other))
      : [...this.list, connection];
  }
}

function secretsOf(entry: ConnectionEntry, kit: KitView | null, old: Secrets): Secrets {
  const kept = entry.without_certificates ? NOTHING : old;
  return {
    password: entry.password === null ? old.password : entry.password !== '',
    certificate: (kit?.certificate ?? null) !== null || kept.certificate,
    authorities: (kit?.authorities.length ?? 0) > 0 || kept.authorities,
    server: (kit?.server ?? null) !== null || kept.server,
    proxy_password:
      entry.proxy !== null && (entry.proxy_password === null ? old.proxy_password : entry.proxy_password !== ''),
    device_passwords: old.device_passwords,
  };
}

function nobodyAnswers(url: string): ConnectionView['link'] {
  return {
    state: 'waiting',
    message: `Nothing answers at ${url}: the connection was refused.`,
    hint: 'Check the address and that the broker is running.',
    retry_at: Date.now() + 30_000,
  };
}

export function view(given: Partial<ConnectionView>): ConnectionView {
  return {
    ...DEFAULT_SETTINGS,
    id: '',
    name: '',
    url: '',
    client_id: 'wilco-lena-5f3a',
    offers: [],
    overlaps: [],
    titles: {},
    demo: false,
    has: NOTHING,
    in_memory_secrets: false,
    certificate_expires_at: null,
    certificate_subject: null,
    link: { state: 'connecting' },
    round_trip_ms: null,
    in_per_second: 0,
    out_per_second: 0,
    devices: 0,
    online: 0,
    unlisted: 0,
    counts: { queued: 0, held: 0, in_flight: 0, needs_attention: 0, kept: 0 },
    ...given,
  };
}

/** A connection whose certificate ends soon. */
export const ROTTERDAM = view({
  id: 'rotterdam',
  name: 'Rotterdam cold chain',
  url: 'mqtts://mqtt.rtm.example.net:8883',
  preset: 'mosquitto',
  username: 'lena',
  trust: 'authorities',
  has: { ...NOTHING, certificate: true, authorities: true, password: true },
  certificate_subject: 'CN=wilco-console, O=Cold chain',
  certificate_expires_at: Date.now() + 12.5 * DAY,
  link: nobodyAnswers('mqtts://mqtt.rtm.example.net:8883'),
});
