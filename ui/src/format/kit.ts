/** The files that were added, in words. */

import type { CertificateView } from '../backend/bindings/CertificateView';
import type { KitItemKind } from '../backend/bindings/KitItemKind';
import type { KitView } from '../backend/bindings/KitView';
import { certificateText } from './certificate';
import { counted } from './count';
import { date } from './time';

const ICONS: Record<KitItemKind, string> = {
  certificate: 'cert',
  key: 'key',
  authority: 'shield',
  server: 'server',
  locked: 'lock',
  set_aside: 'script',
  unusable: 'alert',
};

export function iconOf(kind: KitItemKind): string {
  return ICONS[kind];
}

/** `4 items found`: a bundle holds several. */
export function filesTitle(kit: KitView | null): string {
  const items = kit?.items.length ?? 0;
  if (items === 0) return 'No files added';
  return `${counted(items, 'item')} found`;
}

/** `Valid, 4,056 days left`, and the state whose colour says the same. */
export function validity(certificate: Pick<CertificateView, 'not_before' | 'not_after'>, now: number) {
  if (certificate.not_before > now) {
    return { words: `Not valid before ${date(certificate.not_before)}`, state: 'failed', glyph: 's-failed' };
  }
  const { words, grade } = certificateText(certificate.not_after, now);
  if (grade === 'over') return { words: capital(words), state: 'failed', glyph: 's-failed' };
  return grade === 'soon'
    ? { words: capital(words), state: 'timed_out', glyph: 'i-alert' }
    : { words: `Valid, ${words}`, state: 'succeeded', glyph: 's-succeeded' };
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
