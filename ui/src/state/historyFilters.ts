/** The filters of the history. */

import type { CommandState } from '../backend/bindings/CommandState';
import { BAD_ENDS, OPEN_STATES } from '../backend/bindings/Constants';

export interface Filter {
  name: string;
  states: CommandState[];
  /** Only what needs attention now: the engine decides. */
  needsAttention?: boolean;
  /** Commands that Wilco sent automatically; without it, all others. */
  automatic?: boolean;
}

export const FILTERS: Filter[] = [
  { name: 'All', states: [] },
  { name: 'In flight', states: [...OPEN_STATES] },
  { name: 'Succeeded', states: ['succeeded'] },
  { name: 'Failed or rejected', states: ['failed', 'rejected'] },
  { name: 'Timed out', states: ['timed_out'] },
  { name: 'Undeliverable', states: ['undeliverable'] },
  { name: 'Expired or cancelled', states: ['expired', 'cancelled'] },
  { name: 'Automatic', states: [], automatic: true },
];

/** Commands that need or needed attention, at any time. */
export const NEEDS_ATTENTION: Filter = {
  name: 'Needs attention',
  states: [...BAD_ENDS],
};

/** The commands that the status bar's badge counts, which links here. */
export const NEEDS_ATTENTION_NOW: Filter = {
  ...NEEDS_ATTENTION,
  name: 'Needs attention, last hour',
  needsAttention: true,
};

export const EVERY_FILTER: Filter[] = [...FILTERS, NEEDS_ATTENTION_NOW, NEEDS_ATTENTION];
