/** The audit and evidence files of the invented fleet. */

import type { AuditEntry } from '../bindings/AuditEntry';
import type { AuditPage } from '../bindings/AuditPage';
import type { AuditQuery } from '../bindings/AuditQuery';
import type { AuditVerification } from '../bindings/AuditVerification';
import type { EvidenceExport } from '../bindings/EvidenceExport';
import type { EvidenceFileView } from '../bindings/EvidenceFileView';
import type { EvidenceOf } from '../bindings/EvidenceOf';
import type { FileToWrite } from '../bindings/FileToWrite';
import type { FakeEngine } from './engine';
import { failure } from './failure';

const FINGERPRINT = '3f2a 91bc 0d4e 77a1 c2b8 5e60 19fd a403';
const MINUTE = 60_000;

export function auditCalls(engine: FakeEngine) {
  const entries: AuditEntry[] = [
    entry(
      1,
      60 * 24,
      'settings',
      'Changed settings: operator_name',
      { operator_name: { from: null, to: 'Ana' } },
      null,
    ),
    entry(2, 50, 'connection', 'Added connection Demo fleet', { name: 'Demo fleet', url: 'mqtt://127.0.0.1' }, null),
    entry(3, 40, 'command', 'Sent led to bench-0001', { command: 'led', args: '{"on":true}' }, 'night shift'),
    entry(
      4,
      30,
      'device',
      'Changed the name, tags or note of bench-0002',
      { devices: [{ device: 'bench-0002' }] },
      null,
    ),
    entry(5, 2, 'rollout', 'Started rollout 1: identify to 60 devices', { rollout: 1, members: 60 }, 'find them'),
  ];
  /** The altered entry. */
  let altered: number | null = null;
  /** The saved files, by path. */
  const saved = new Map<string, EvidenceFileView>();
  const calls = {
    /** Alters an entry outside Wilco. */
    alterEntry(number: number): void {
      altered = number;
    },

    async audit({ since, until, kinds, before, limit }: AuditQuery): Promise<AuditPage> {
      const matching = entries.filter(
        ({ number, at, kind }) =>
          (since === null || at >= since) &&
          (until === null || at < until) &&
          (kinds.length === 0 || kinds.includes(kind)) &&
          (before === null || number < before),
      );
      const page = [...matching].reverse().slice(0, limit);
      return { entries: page, next: matching.length > limit ? (page.at(-1)?.number ?? null) : null };
    },

    async verifyAudit(): Promise<AuditVerification> {
      const to = entries.length;
      const bad = altered;
      const around = (at: number) => [
        { from: 1, to: at - 1 },
        { from: at + 1, to },
      ];
      return {
        entries: to,
        range: { from: 1, to },
        deleted: 0,
        problems:
          bad === null
            ? []
            : [
                {
                  kind: 'altered',
                  entries: { from: bad, to: bad },
                  text: `Entry ${bad} was altered. It now says: Sent nothing.`,
                },
              ],
        intact: bad === null ? [{ from: 1, to }] : around(bad).filter((range) => range.from <= range.to),
        unsealed: [],
        seal: { state: 'sealed', number: to, at: Date.now() - MINUTE, fingerprint: FINGERPRINT },
      };
    },

    async noteAuditEntry(number: number, note: string): Promise<AuditEntry> {
      const made = entry(entries.length + 1, 0, 'audit', `Wrote a note on entry ${number}`, { entry: number }, note);
      entries.push(made);
      return made;
    },

    async resealAudit(): Promise<AuditVerification> {
      altered = null;
      return calls.verifyAudit();
    },

    async saveEvidence(of: EvidenceOf, { path }: FileToWrite): Promise<EvidenceExport> {
      const title = of.of === 'command' ? `Command ${of.id} of ${of.device}` : `A ${of.of}`;
      const view: EvidenceFileView = {
        title,
        wilco: '0.1.0',
        written_at: Date.now(),
        operator: engine.settings.kept.operator_name,
        os_user: 'you',
        machine: 'this-computer',
        connection: '{"name":"Demo fleet"}',
        records: [
          {
            line: 2,
            kind: 'command',
            at: Date.now() - MINUTE,
            text: 'bench-0001: led {"on":true}: succeeded',
            content: '{"record":"command"}',
            altered: false,
          },
        ],
        record_count: 1,
        signature: { state: 'signed', fingerprint: FINGERPRINT },
        problems: [],
      };
      saved.set(path, view);
      return { path, records: 1, signature: view.signature };
    },

    async openEvidence(path: string): Promise<EvidenceFileView> {
      const view = saved.get(path);
      if (view) return view;
      const hint = 'Choose an evidence file that Wilco has saved.';
      throw failure('file', `Could not read ${path}: it is not an evidence file.`, hint);
    },

    /** Replaces a line of a file by one that is too long to show. */
    alterEvidence(path: string): void {
      const view = saved.get(path);
      if (!view) return;
      saved.set(path, {
        ...view,
        records: view.records.map((record) => ({ ...record, altered: true, content: null })),
        problems: [
          { line: 2, text: 'Line 2 was altered.' },
          { line: 2, text: 'Line 2 was altered.' },
        ],
      });
    },
  };
  return calls;
}

function entry(
  number: number,
  minutesAgo: number,
  kind: AuditEntry['kind'],
  what: string,
  details: Record<string, unknown>,
  note: string | null,
): AuditEntry {
  return {
    number,
    at: Date.now() - minutesAgo * MINUTE,
    kind,
    operator: number > 1 ? 'Ana' : null,
    os_user: 'you',
    machine: 'this-computer',
    connection: null,
    connection_name: kind === 'settings' ? null : 'Demo fleet',
    what,
    details: JSON.stringify(details),
    note,
    hash: String(number).repeat(64).slice(0, 64),
  };
}
