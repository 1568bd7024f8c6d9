/** The audit and evidence files in words. */

import type { AuditEntry } from '../backend/bindings/AuditEntry';
import type { AuditKind } from '../backend/bindings/AuditKind';
import type { AuditRange } from '../backend/bindings/AuditRange';
import type { AuditSeal } from '../backend/bindings/AuditSeal';
import type { AuditVerification } from '../backend/bindings/AuditVerification';
import type { EvidenceSignature } from '../backend/bindings/EvidenceSignature';
import { count } from './count';
import { date, exactClock } from './time';

export const KINDS: Record<AuditKind, string> = {
  command: 'Commands',
  rollout: 'Rollouts',
  connection: 'Connections',
  dialect: 'Dialects',
  catalogue: 'Catalogue',
  button: 'Buttons',
  device: 'Devices',
  view: 'Views',
  desired: 'Desired configurations',
  approval: 'Approvals',
  settings: 'Settings',
  history: 'History',
  audit: 'Audit',
};

/** `Ana (ana on desk-3)`, or without an operator name `ana on desk-3`. */
export function who({
  operator,
  os_user: user,
  machine,
}: Pick<AuditEntry, 'operator' | 'os_user' | 'machine'>): string {
  const account = `${user} on ${machine}`;
  return operator === null ? account : `${operator} (${account})`;
}

/** `29 Nov 2026, 14:02:11.402`. */
export function at(time: number): string {
  return `${date(time)}, ${exactClock(time)}`;
}

/** The result, as a sentence. */
export function verdict(found: AuditVerification): string {
  if (found.range === null)
    return found.problems.length === 0 ? 'The audit has no entries yet.' : 'The audit is empty.';
  if (found.problems.length === 0) return `${ranges([found.range])} unaltered.`;
  return found.intact.length === 0 ? 'Every entry was altered or is missing.' : `${ranges(found.intact)} unaltered.`;
}

/** The entries of which nobody knows whether Wilco wrote them, as a sentence; null if there are none. */
export function unsealed(found: AuditVerification): string | null {
  if (found.unsealed.length === 0) return null;
  return `${ranges(found.unsealed, 'was', 'were')} not sealed when Wilco started: Wilco exited before sealing them, or another program added them.`;
}

/** `Entry 7 is`, `Entries 1 to 7 and 9 are`. */
function ranges(list: AuditRange[], is = 'is', are = 'are'): string {
  const one = ({ from, to }: AuditRange) => (from === to ? count(from) : `${count(from)} to ${count(to)}`);
  const [first] = list;
  if (list.length === 1 && first && first.from === first.to) return `Entry ${one(first)} ${is}`;
  const texts = list.map(one);
  const last = texts.pop() ?? '';
  return `Entries ${texts.length === 0 ? last : `${texts.join(', ')} and ${last}`} ${are}`;
}

export function sealed(seal: AuditSeal): string {
  switch (seal.state) {
    case 'sealed':
      return `Sealed up to entry ${count(seal.number)} at ${at(seal.at)}.`;
    case 'not_yet':
      return 'Not sealed yet.';
    case 'no_keyring':
      return `Not sealed: ${seal.why}. This check cannot detect that the newest entries were removed, or that an old copy of the database was restored.`;
  }
}

export function signed(signature: EvidenceSignature): string {
  switch (signature.state) {
    case 'signed':
      return `Signed by the key ${signature.fingerprint}`;
    case 'unsigned':
      return `Not signed: ${signature.why}. Anyone may have written this file.`;
    case 'invalid':
      return 'The signature is not valid.';
  }
}
