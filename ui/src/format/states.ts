/** The names and glyphs of the states of a command. The engine defines the states. */

import type { AnswerOutcome } from '../backend/bindings/AnswerOutcome';
import type { CommandState } from '../backend/bindings/CommandState';
import { BAD_ENDS, COMMAND_STATES } from '../backend/bindings/Constants';
import type { MemberState } from '../backend/bindings/MemberState';
import type { Presence } from '../backend/bindings/Presence';

/** What is shown as the state of a command is shown: also a member without a command, and an answer that says nothing. */
export type Shown = CommandState | MemberState | AnswerOutcome;

const WORDS: Record<Shown, { word: string; glyph: string }> = {
  pending: { word: 'Not started', glyph: 's-queued' },
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
  unreadable: { word: 'Unreadable', glyph: 's-unknown' },
};

/** The names of presences, in the order of the engine's columns. */
export const PRESENCES: readonly Presence[] = ['online', 'offline', 'unknown'];

/** The state that the engine's columns give a number to; nothing for 0, where there was no command. */
export function stateOf(code: number): CommandState | null {
  return COMMAND_STATES[code - 1] ?? null;
}

export function wordOf(state: Shown): string {
  return WORDS[state].word;
}

/** The symbol of a state in the sprite. */
export function glyphOf(state: Shown): string {
  return WORDS[state].glyph;
}

/** Succeeded or unremarkable: it may be drawn less prominently. */
export function isQuiet(state: Shown): boolean {
  return state === 'succeeded';
}

/** It ended, and not as it should: also where it expired before anybody looked. */
export function hasFailed(state: CommandState): boolean {
  return state === 'expired' || BAD_ENDS.includes(state);
}

/** Not yet handed to MQTT, so that it can still be withdrawn. */
export function isWithdrawable(state: CommandState): boolean {
  return state === 'queued' || state === 'held';
}
