/** The changes that the engine reports, applied in one update for each animation frame. */

import { createContext } from 'svelte';

import type { Backend } from '../backend/backend';
import type { Batch } from '../backend/bindings/Batch';
import type { CommandView } from '../backend/bindings/CommandView';
import { engineTime } from './clock.svelte';

type Listener = (batch: Batch) => void;

export class Feed {
  readonly #listeners = new Set<Listener>();
  #pending: Batch | null = null;

  constructor(readonly schedule: (run: () => void) => void = nextFrame) {}

  /** Listens to the engine until the promise's function is called. */
  start(backend: Backend): Promise<() => void> {
    return backend.listen((batch) => this.take(batch));
  }

  on(listener: Listener): void {
    this.#listeners.add(listener);
  }

  take(batch: Batch): void {
    engineTime.take(batch.now);
    if (this.#pending !== null) {
      this.#pending = merge(this.#pending, batch);
      return;
    }
    this.#pending = batch;
    this.schedule(() => {
      const due = this.#pending;
      this.#pending = null;
      if (due) for (const listener of this.#listeners) listener(due);
    });
  }
}

export const [getFeed, setFeed] = createContext<Feed>();

/** Combines two batches: the later values win. */
export function merge(earlier: Batch, later: Batch): Batch {
  const commands = new Map(earlier.commands.map((command) => [keyOf(command), command]));
  for (const command of later.commands) commands.set(keyOf(command), command);
  const devices = new Map(earlier.changed_devices.map((pair) => [pair.join('\u0000'), pair]));
  for (const pair of later.changed_devices) devices.set(pair.join('\u0000'), pair);
  const rollouts = new Map(earlier.rollouts.map((rollout) => [rollout.id, rollout]));
  for (const rollout of later.rollouts) rollouts.set(rollout.id, rollout);
  return {
    sequence: later.sequence,
    now: later.now,
    connections: later.connections ?? earlier.connections,
    commands: [...commands.values()],
    more_commands: earlier.more_commands || later.more_commands,
    devices: [...new Set([...earlier.devices, ...later.devices])],
    changed_devices: [...devices.values()],
    device_states: [...earlier.device_states, ...later.device_states],
    rollouts: [...rollouts.values()],
    notices: [...earlier.notices, ...later.notices],
  };
}

/** A command is identified by connection, device and ID. */
export function keyOf(command: Pick<CommandView, 'connection' | 'device' | 'id'>): string {
  return `${command.connection}\u0000${command.device}\u0000${command.id}`;
}

/** Of two views of one command the later one; a slow answer must not undo what the feed has said. */
export function newer(a: CommandView, b: CommandView): CommandView {
  return b.changed_at >= a.changed_at ? b : a;
}

/** A hidden window gets no frames, and must not fall behind for it. */
function nextFrame(run: () => void): void {
  let done = false;
  const once = () => {
    if (done) return;
    done = true;
    run();
  };
  requestAnimationFrame(once);
  setTimeout(once, 250);
}
