/** The form of a connection, and the entry that follows from it. Pure: no calls, nothing is stored. */

import type { ConnectionEntry } from '../backend/bindings/ConnectionEntry';
import type { ConnectionSettings } from '../backend/bindings/ConnectionSettings';
import type { ConnectionView } from '../backend/bindings/ConnectionView';
import type { EnabledDialect } from '../backend/bindings/EnabledDialect';
import type { KitView } from '../backend/bindings/KitView';
import type { Preset } from '../backend/bindings/Preset';
import type { PresetView } from '../backend/bindings/PresetView';
import type { Secrets } from '../backend/bindings/Secrets';
import type { Trust } from '../backend/bindings/Trust';
import type { TransportOption } from '../backend/bindings/TransportOption';
import { DEFAULT_SETTINGS } from '../backend/bindings/Constants';
import { settingsOf } from '../backend/settings';
import { usesTransport, readAddress, wholeUrl } from '../format/address';
import { listed } from '../format/topics';

/** `null`: the value follows from the other fields; a text is as typed. */
export interface Form {
  id: string | null;
  name: string;
  /** The settings that the form shows as they are. Those below are typed, or follow, and take the place of the same here. */
  settings: ConnectionSettings;
  preset: Preset | null;
  address: string;
  clientId: string;
  username: string;
  password: string;
  passwordRemoved: boolean;
  prefix: string;
  devices: string;
  keepAlive: string;
  sessionExpiry: string;
  trust: Trust | null;
  serverName: string;
  alpn: string | null;
  proxyUrl: string;
  proxyUsername: string;
  proxyPassword: string;
  proxyPasswordRemoved: boolean;
  withoutCertificates: boolean;
  withoutKeyring: boolean;
}

/** The context of a form. */
export interface Around {
  kit: KitView | null;
  /** The secrets that are kept for the connection which is changed. */
  kept: Secrets | null;
  presets: PresetView[];
  /** The names of the other connections. */
  taken: string[];
  /** The only devices of the connection which is changed. */
  named: string[];
}

/** The values derived from a form. */
export interface Settled {
  preset: Preset;
  presetView: PresetView | null;
  /** The whole address; empty while there is none. */
  url: string;
  way: TransportOption | null;
  alpn: string;
  trust: Trust;
  name: string;
  /** The connection has a client certificate. */
  certificate: boolean;
}

export function blankForm(): Form {
  return {
    id: null,
    name: '',
    settings: structuredClone(DEFAULT_SETTINGS),
    preset: null,
    address: '',
    clientId: '',
    username: '',
    password: '',
    passwordRemoved: false,
    prefix: '',
    devices: '',
    keepAlive: '',
    sessionExpiry: '',
    trust: null,
    serverName: '',
    alpn: null,
    proxyUrl: '',
    proxyUsername: '',
    proxyPassword: '',
    proxyPasswordRemoved: false,
    withoutCertificates: false,
    withoutKeyring: false,
  };
}

/** The form of a connection that is there. */
export function formOf(view: ConnectionView): Form {
  return {
    ...blankForm(),
    id: view.id,
    name: view.name,
    settings: {
      ...settingsOf(view),
      dialects: view.dialects.map(({ name, settings }) => ({ name, settings: { ...settings } })),
    },
    preset: view.preset,
    address: view.url,
    clientId: view.client_id,
    username: view.username ?? '',
    prefix: view.prefix,
    devices: view.devices_named.join('\n'),
    keepAlive: String(view.keep_alive_s),
    sessionExpiry: String(view.session_expiry_s),
    trust: view.trust === trustedBy(null, view.has) ? null : view.trust,
    serverName: view.server_name ?? '',
    alpn: view.alpn.join(', '),
    proxyUrl: view.proxy?.url ?? '',
    proxyUsername: view.proxy?.username ?? '',
    withoutKeyring: view.in_memory_secrets,
  };
}

export function settle(form: Form, around: Around): Settled {
  const address = readAddress(form.address);
  const preset = form.preset ?? (isAws(around.kit, address?.host ?? '') ? 'aws' : 'plain');
  const presetView = around.presets.find((view) => view.preset === preset) ?? null;
  const kept = form.withoutCertificates ? null : around.kept;
  // The files replace the stored secrets, one by one.
  const certificate = (around.kit?.certificate ?? null) !== null || (kept?.certificate ?? false);
  const ways = presetView?.ways ?? [];
  const usual = usualWay(ways, certificate || (around.kit?.authorities.length ?? 0) > 0, address?.port ?? null);
  const url = address ? wholeUrl(address, usual) : '';
  const way = ways.find((other) => usesTransport(url, other)) ?? null;
  return {
    preset,
    presetView,
    url,
    way,
    alpn: form.alpn ?? way?.alpn.join(', ') ?? '',
    trust: form.trust ?? trustedBy(around.kit, kept),
    name: form.name || suggestedName(preset, address?.host ?? '', around.taken),
    certificate,
  };
}

/** An empty setting is the dialect’s default. */
function withoutBlanks({ name, settings }: EnabledDialect): EnabledDialect {
  return { name, settings: Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== '')) };
}

/** `denied` are the filters that a preflight of this very entry saw refused. */
export function entryOf(form: Form, around: Around, denied: string[] = []): ConnectionEntry {
  const settled = settle(form, around);
  const changing = form.id !== null;
  const usual = settled.presetView ?? DEFAULT_SETTINGS;
  const proxyUrl = form.proxyUrl.trim();
  return {
    ...form.settings,
    id: form.id,
    name: settled.name,
    url: settled.url,
    preset: settled.preset,
    client_id: given(form.clientId),
    username: given(form.username),
    password: secret(form.password, form.passwordRemoved || (changing && given(form.username) === null)),
    dialects: form.settings.dialects.map(withoutBlanks),
    prefix: form.prefix,
    devices_named: listed(form.devices),
    keep_alive_s: number(form.keepAlive) ?? usual.keep_alive_s,
    session_expiry_s: number(form.sessionExpiry) ?? usual.session_expiry_s,
    trust: settled.trust,
    server_name: given(form.serverName.trim()),
    alpn: settled.alpn.split(/[\s,]+/).filter((protocol) => protocol !== ''),
    proxy: proxyUrl === '' ? null : { url: proxyUrl, username: given(form.proxyUsername) },
    proxy_password: proxyUrl === '' ? null : secret(form.proxyPassword, form.proxyPasswordRemoved),
    kit: around.kit?.id ?? null,
    without_certificates: form.withoutCertificates,
    without_keyring: form.withoutKeyring,
    denied,
  };
}

/** The form with another kind of broker: what was only the old one's usual value gives way to the new one's. */
export function withPreset(form: Form, preset: Preset, presets: PresetView[]): Form {
  const old = presets.find((view) => view.preset === form.preset);
  const usual = (text: string, value: number | undefined) => (text === String(value) ? '' : text);
  const alpns = (old?.ways ?? []).map((way) => way.alpn.join(', '));
  return {
    ...form,
    preset,
    keepAlive: usual(form.keepAlive, old?.keep_alive_s),
    sessionExpiry: usual(form.sessionExpiry, old?.session_expiry_s),
    alpn: form.alpn !== null && ['', ...alpns].includes(form.alpn) ? null : form.alpn,
  };
}

function trustedBy(kit: KitView | null, kept: Secrets | null): Trust {
  if (kit?.server) return 'pinned';
  if (kit && kit.authorities.length > 0) return 'authorities';
  if (kept?.server) return 'pinned';
  return kept?.authorities ? 'authorities' : 'platform';
}

function isAws(kit: KitView | null, host: string): boolean {
  const { subject = '', issuer = '' } = kit?.certificate ?? {};
  return /\.amazonaws\.com(\.cn)?$/i.test(host) || /Amazon Web Services|AWS IoT/i.test(`${subject} ${issuer}`);
}

const TLS: TransportOption = { name: '', scheme: 'mqtts', port: 8883, path: '', alpn: [] };

/** How a broker is reached where only its host is written. */
function usualWay(ways: TransportOption[], files: boolean, port: number | null): TransportOption {
  const encrypted = (way: TransportOption) => way.scheme === 'mqtts' || way.scheme === 'wss';
  const byPort = ways.find((way) => way.port === port && (!files || encrypted(way)));
  if (byPort) return byPort;
  if (port === 1883 && !files) return { ...TLS, scheme: 'mqtt', port };
  return ways.find(encrypted) ?? TLS;
}

function suggestedName(preset: Preset, host: string, taken: string[]): string {
  const region = /\.iot\.([\w-]+)\.amazonaws\.com/i.exec(host)?.[1];
  const name = preset === 'aws' && region ? `AWS IoT ${region}` : host;
  let free = name;
  for (let n = 2; name !== '' && taken.includes(free); n++) free = `${name} ${n}`;
  return free;
}

/** A secret on its one way: nothing for the one that is kept, an empty text for none. */
function secret(typed: string, removed: boolean): string | null {
  if (removed) return '';
  return typed === '' ? null : typed;
}

/** The exact text. */
function given(text: string): string | null {
  return text === '' ? null : text;
}

function number(text: string): number | null {
  return text.trim() === '' ? null : Number(text);
}
