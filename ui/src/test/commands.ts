import type { CommandState } from '../backend/bindings/CommandState';
import type { CommandView } from '../backend/bindings/CommandView';
import { queued } from '../backend/fake/past';

/** A command for tests: `led on` to kitchen-0417, queued at 1,000,000. */
export function command(given: Partial<CommandView> = {}): CommandView {
  const identity = {
    connection: 'demo',
    device: 'kitchen-0417',
    id: '0198f3c2-7d1e-7c2a-9c55-1f2e3d4c5b6a',
    command: 'led',
    args: '{"on":true}',
    queued_at: 1_000_000,
  };
  return { ...queued(identity), ...given };
}

/** The same command after it has climbed: +2 ms sent, +9 ms at the broker, +31 ms accepted. */
export function climbed(state: CommandState, given: Partial<CommandView> = {}): CommandView {
  return command({
    state,
    sent_at: 1_000_002,
    at_broker_at: 1_000_011,
    accepted_at: 1_000_042,
    changed_at: 1_000_042,
    attempts: 1,
    ...given,
  });
}
