import type { MemberCounts } from '../backend/bindings/MemberCounts';
import type { NewRollout } from '../backend/bindings/NewRollout';
import type { RolloutView } from '../backend/bindings/RolloutView';
import { noCounts } from '../backend/fake/rolloutDetail';

/** `led on` for every device that matches nothing in particular, all at once. */
export function newRollout(given: Partial<NewRollout> = {}): NewRollout {
  return {
    connection: 'demo',
    confirmed: 'no',
    name: null,
    note: null,
    target: { by: 'search', search: '' },
    leave_out: { offline: false, already: false, busy: false },
    command: {
      name: 'led',
      args: '{"on":true}',
      timeout_ms: null,
      ttl_ms: null,
      retries: null,
      delivery: null,
      no_answer: false,
    },
    stages: [],
    between: { then: 'continue' },
    rate: null,
    in_flight: null,
    halt: null,
    gate: null,
    hours: null,
    follows: null,
    ...given,
  };
}

export function counts(given: Partial<MemberCounts> = {}): MemberCounts {
  return { ...noCounts(), ...given };
}

/** Rollout 42, which runs in one stage of 100 devices, of which 40 have succeeded. */
export function rolloutView(given: Partial<RolloutView> = {}): RolloutView {
  const now = counts({ succeeded: 40, pending: 60 });
  return {
    id: 'r-42',
    number: 42,
    spec: newRollout(),
    state: 'running',
    waits_for: null,
    why: null,
    approval: null,
    stages: [
      { members: 100, counts: now, waiting_for_offline: 0, started_at: 1_000_000, ended_at: null, closed: false },
    ],
    stage: 0,
    counts: now,
    members: 100,
    ended_before: 0,
    failed_before: 0,
    started_at: 1_000_000,
    changed_at: 1_000_000,
    ended_at: null,
    ...given,
  };
}
