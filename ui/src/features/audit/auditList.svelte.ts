/** The audit as it is listed and verified. */

import type { AuditEntry } from '../../backend/bindings/AuditEntry';
import type { AuditKind } from '../../backend/bindings/AuditKind';
import type { AuditVerification } from '../../backend/bindings/AuditVerification';
import type { Failure } from '../../backend/bindings/Failure';
import type { Backend } from '../../state/backend';
import { engineTime } from '../../state/clock.svelte';
import { failureOf } from '../../state/failure';

/** Entries of one page. */
const PAGE = 200;
const DAY = 86_400_000;

/** How far back the list goes. */
export const SPANS = [
  { name: 'All', days: null },
  { name: '24 hours', days: 1 },
  { name: '7 days', days: 7 },
  { name: '30 days', days: 30 },
] as const;
export type Span = (typeof SPANS)[number];

export class AuditList {
  kind = $state<AuditKind | null>(null);
  span = $state.raw<Span>(SPANS[0]);
  entries = $state.raw<AuditEntry[]>([]);
  /** There are older ones, before this number. */
  next = $state<number | null>(null);
  loaded = $state(false);
  failure = $state.raw<Failure | null>(null);
  verification = $state.raw<AuditVerification | null>(null);
  verifying = $state(false);
  /** The number of the last request. */
  #asked = 0;

  constructor(readonly backend: Backend) {}

  async load(older = false): Promise<void> {
    const asked = ++this.#asked;
    const { days } = this.span;
    this.failure = null;
    try {
      const page = await this.backend.audit({
        since: days === null ? null : engineTime.now - days * DAY,
        until: null,
        kinds: this.kind === null ? [] : [this.kind],
        before: older ? this.next : null,
        limit: PAGE,
      });
      if (asked !== this.#asked) return;
      this.entries = older ? [...this.entries, ...page.entries] : page.entries;
      this.next = page.next;
      this.loaded = true;
    } catch (reason) {
      if (asked === this.#asked) this.failure = failureOf(reason);
    }
  }

  show(kind: AuditKind | null, span: Span): void {
    this.kind = kind;
    this.span = span;
    void this.load();
  }

  async verify(): Promise<void> {
    if (this.verifying) return;
    this.verifying = true;
    this.failure = null;
    try {
      this.verification = await this.backend.verifyAudit();
    } catch (reason) {
      this.verification = null;
      this.failure = failureOf(reason);
    } finally {
      this.verifying = false;
    }
  }
}
