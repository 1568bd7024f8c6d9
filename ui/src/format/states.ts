/** The states of a command: how each is called and drawn. The names are the ledger's own. */

export type State =
  | 'queued'
  | 'held'
  | 'sent'
  | 'at_broker'
  | 'accepted'
  | 'running'
  | 'succeeded'
  | 'failed'
  | 'rejected'
  | 'undeliverable'
  | 'unconfirmed'
  | 'timed_out'
  | 'expired'
  | 'cancelled';

const WORDS: Record<State, { word: string; glyph: string }> = {
  queued: { word: 'Queued', glyph: 's-queued' },
  held: { word: 'Held', glyph: 's-held' },
  sent: { word: 'Sent', glyph: 's-sent' },
  at_broker: { word: 'At broker', glyph: 's-at-broker' },
  accepted: { word: 'Accepted', glyph: 's-accepted' },
  running: { word: 'Running', glyph: 's-running' },
  succeeded: { word: 'Succeeded', glyph: 's-succeeded' },
  failed: { word: 'Failed', glyph: 's-failed' },
  rejected: { word: 'Rejected', glyph: 's-rejected' },
  undeliverable: { word: 'Undeliverable', glyph: 's-undeliverable' },
  unconfirmed: { word: 'Unconfirmed', glyph: 's-unknown' },
  timed_out: { word: 'Timed out', glyph: 's-timed-out' },
  expired: { word: 'Expired', glyph: 's-expired' },
  cancelled: { word: 'Cancelled', glyph: 's-cancelled' },
};

/** The names of all of them. */
export const STATES: readonly string[] = Object.keys(WORDS);

/** The names of presences, in the order of the engine's columns. */
export const PRESENCES = ['online', 'offline', 'unknown'] as const;

const IN_ORDER = Object.keys(WORDS) as State[];

/** The state that the engine's columns give a number to; nothing for 0, where there was no command. */
export function stateOf(code: number): State | null {
  return IN_ORDER[code - 1] ?? null;
}

/** A state of that name; one that is not known here is shown as it is called. */
export function wordOf(state: string): string {
  return WORDS[state as State]?.word ?? state;
}

/** The symbol of a state in the sprite. */
export function glyphOf(state: string): string {
  return WORDS[state as State]?.glyph ?? 's-unknown';
}

/** Succeeded or unremarkable: it may be drawn less prominently. */
export function isQuiet(state: string): boolean {
  return state === 'succeeded';
}

/** It ended, and not as it should. */
export function hasFailed(state: string): boolean {
  return FAILED.has(state);
}

const FAILED = new Set(['failed', 'rejected', 'undeliverable', 'timed_out', 'expired']);

/** Not yet handed to MQTT, so that it can still be withdrawn. */
export function isWithdrawable(state: string): boolean {
  return state === 'queued' || state === 'held';
}

export const IN_FLIGHT: State[] = ['queued', 'held', 'sent', 'at_broker', 'accepted', 'running'];
