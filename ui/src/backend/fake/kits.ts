/** Invented files: their content follows from their names. The passphrase of every one is `wilco`. */

import type { CertificateView } from '../bindings/CertificateView';
import type { FilesToRead } from '../bindings/FilesToRead';
import type { FileToRead } from '../bindings/FileToRead';
import type { KitItem } from '../bindings/KitItem';
import type { KitItemKind } from '../bindings/KitItemKind';
import type { KitProblem } from '../bindings/KitProblem';
import type { KitView } from '../bindings/KitView';
import { failure } from './failure';

const PASSPHRASE = 'wilco';
const DAY = 86_400_000;

interface Found extends KitItem {
  path: string;
}

export class FakeKits {
  readonly #kits = new Map<string, Found[]>();
  #last = 0;
  #lastItem = 0;

  read({ kit, files, passphrase, shown }: FilesToRead): KitView {
    const missing = files.find(({ path }) => path.includes('gone'));
    if (missing) {
      throw failure(
        'file',
        `The file ${missing.path} does not exist.`,
        'Check the path: it may have been moved or deleted.',
      );
    }
    const id = kit ?? `k${++this.#last}`;
    if (kit !== null) this.view(kit);
    const known = this.#kits.get(id) ?? [];
    const opened = passphrase === PASSPHRASE ? known.flatMap((item) => this.#opened(item)) : known;
    const added: FileToRead[] = shown === null ? files : [...files, { path: 'bench.local', role: 'server' }];
    this.#kits.set(id, [...opened, ...added.flatMap((file) => this.#found(file))]);
    return this.view(id, passphrase !== null && passphrase !== PASSPHRASE);
  }

  leaveOut(kit: string, item: number): KitView {
    const left = this.#kits.get(kit)?.filter((other) => other.id !== item);
    if (left) this.#kits.set(kit, left);
    return this.view(kit);
  }

  forget(kit: string): void {
    this.#kits.delete(kit);
  }

  view(id: string, refused = false): KitView {
    const items = this.#kits.get(id);
    if (!items) throw failure('not_found', 'The file contents are no longer in memory.', 'Choose the files again.');
    const of = (kind: KitItemKind) => items.filter((item) => item.kind === kind);
    const [certificate] = of('certificate');
    const [server] = of('server');
    const hasKey = of('key').some((key) => !key.path.includes('other'));
    const problems = problemsOf(items, hasKey, refused);
    return {
      id,
      items: items.map(({ id, name, kind, what, note }) => ({ id, name, kind, what, note })),
      certificate: certificate ? certificateOf(certificate.path) : null,
      has_key: hasKey,
      authorities: of('authority').map(() => AUTHORITY),
      server: server ? { ...AUTHORITY, subject: 'CN=bench.local', issuer: 'CN=bench.local' } : null,
      problems,
      locked: of('locked').length > 0,
      usable: problems.every((problem) => !problem.blocking),
    };
  }

  #found({ path, role }: FileToRead): Found[] {
    const name = path.split(/[\\/]/).at(-1) ?? path;
    const item = (kind: KitItemKind, what: string, note: string, called = name) =>
      this.#item(path, kind, what, note, called);
    if (role === 'server') return [item('server', 'Server certificate', 'The only one accepted')];
    if (/\.zip$/i.test(name)) {
      const inside = (file: string) => `${name} › ${file}`;
      return [
        item('certificate', 'Device certificate', 'PEM, RSA 2048', inside('pump-7.cert.pem')),
        item('key', 'Private key', 'Matches the certificate', inside('pump-7.private.key')),
        item('authority', 'CA certificate', 'Verifies the server', inside('root-CA.crt')),
        item('set_aside', 'Ignored', 'Script, ignored', inside('start.sh')),
      ];
    }
    if (/\.(p12|pfx)$/i.test(name)) return [item('locked', 'PKCS#12', 'Encrypted with a passphrase')];
    if (/locked.*key/i.test(name)) return [item('locked', 'Private key', 'Encrypted with a passphrase')];
    if (/key/i.test(name)) {
      return [
        item('key', 'Private key', name.includes('other') ? 'Of another certificate' : 'Matches the certificate'),
      ];
    }
    if (role === 'authorities' || /root|ca\b/i.test(name)) {
      return [item('authority', 'CA certificate', 'Verifies the server')];
    }
    if (/\.(pem|crt|cer|der)$/i.test(name)) return [item('certificate', 'Device certificate', 'PEM, RSA 2048')];
    if (/\.(sh|txt|md)$/i.test(name)) return [item('set_aside', 'Ignored', 'Script, ignored')];
    return [item('unusable', 'Not found', 'Neither certificate nor key')];
  }

  #opened(item: Found): Found[] {
    if (item.kind !== 'locked') return [item];
    const key = this.#item(item.path, 'key', 'Private key', 'Matches the certificate', item.name);
    if (item.what === 'Private key') return [key];
    return [this.#item(item.path, 'certificate', 'Device certificate', 'PKCS#12, EC P-256', item.name), key];
  }

  #item(path: string, kind: KitItemKind, what: string, note: string, name: string): Found {
    return { id: ++this.#lastItem, path, kind, what, note, name };
  }
}

function problemsOf(items: Found[], hasKey: boolean, refused: boolean): KitProblem[] {
  const problems: KitProblem[] = [];
  const say = (blocking: boolean, item: Found | undefined, message: string, hint: string) =>
    problems.push({ blocking, item: item?.id ?? null, message, hint });
  const certificate = items.find((item) => item.kind === 'certificate');
  const locked = items.find((item) => item.kind === 'locked');
  const key = items.find((item) => item.kind === 'key');
  if (locked) {
    const message = refused ? `${locked.name} was not opened.` : `${locked.name} is encrypted with a passphrase.`;
    say(true, locked, message, 'Ask the creator of the file for its passphrase.');
  }
  for (const item of items.filter((item) => item.kind === 'unusable')) {
    say(true, item, `${item.name} is neither a certificate nor a key.`, 'Remove it, or add it as PEM, DER or PKCS#12.');
  }
  if (certificate && key && !hasKey) {
    say(true, key, `The key ${key.name} does not belong to the certificate.`, 'Add the key that belongs to it.');
  }
  if (certificate && !key && !locked) {
    say(true, certificate, 'The private key of the certificate is missing.', 'It is often called …-private.pem.key.');
  }
  if (!certificate && key) {
    say(true, key, 'The certificate of the private key is missing.', 'It is often called …-certificate.pem.crt.');
  }
  if (certificate?.path.includes('expired')) {
    say(false, certificate, 'The certificate ended 12 days ago.', 'Brokers refuse it: ask for a new one.');
  }
  return problems;
}

const AUTHORITY: CertificateView = {
  subject: 'CN=Amazon Root CA 1, O=Amazon, C=US',
  issuer: 'CN=Amazon Root CA 1, O=Amazon, C=US',
  not_before: Date.UTC(2015, 4, 26),
  not_after: Date.UTC(2038, 0, 17),
  serial: '06:6c:9f:cf:99:bf:8c:0a:39:e2:f0:78:8a:43:e6:96:36:5b:ca',
  sha256: '8e:cd:e6:88:4f:3d:87:b1:12:5b:a3:1a:c3:fc:b1:3d:70:16:de:7f:57:cc:90:4f:e1:cb:97:c6:ae:98:19:6e',
  key: 'RSA 2048',
};

function certificateOf(path: string): CertificateView {
  const aws = /aws|kit\.zip|certificate\.pem\.crt/i.test(path);
  const expired = path.includes('expired');
  return {
    subject: aws ? 'CN=AWS IoT Certificate' : 'CN=wilco-console, O=Bench',
    issuer: aws ? 'OU=Amazon Web Services, O=Amazon.com Inc., C=US' : 'CN=Bench CA',
    not_before: Date.now() - 400 * DAY,
    not_after: expired ? Date.now() - 12 * DAY : aws ? Date.UTC(2037, 11, 31) : Date.now() + 364.5 * DAY,
    serial: '7a:1f:c2:90:4e:3b:11:08:d3',
    sha256: 'e9:1c:07:5b:88:2d:f1:40:5a:93:be:17:c0:44:2f:9d:61:ee:08:b3:7c:25:d9:50:6c:02:b7:39:5e:1a:a4:f2',
    key: aws ? 'RSA 2048' : 'EC P-256',
  };
}
