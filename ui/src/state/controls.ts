/** Popovers and fields that the palette and the shortcuts reach from elsewhere: each is registered while it is drawn. */

import { createContext, tick } from 'svelte';

/** How long a screen may take to be drawn, milliseconds. */
const DRAWING_LIMIT_MS = 1_000;

export type ControlName =
  | 'approval.import'
  | 'approval.request'
  | 'commands.describe'
  | 'commands.export'
  | 'commands.import'
  | 'device.forget'
  | 'device.identify'
  | 'device.restart'
  | 'fleet.add'
  | 'fleet.columns'
  | 'fleet.export'
  | 'fleet.desired'
  | 'fleet.import'
  | 'fleet.list'
  | 'fleet.search'
  | 'fleet.views'
  | 'history.device'
  | 'history.export'
  | 'history.search'
  | 'log.save'
  | 'log.search'
  | 'rollout.export'
  | 'rollout.stop'
  | 'selection.forget'
  | 'selection.tag'
  | 'selection.untag'
  | 'settings.clear'
  | 'traffic.search'
  | `connections.${string}`;

export class Controls {
  readonly #registered = new Map<ControlName, () => void>();
  #wanted: { name: ControlName; until: number } | null = null;

  /** Registers what opens or focuses a control. The function that is returned withdraws it. */
  register(name: ControlName, activate: () => void): () => void {
    this.#registered.set(name, activate);
    if (this.#wanted?.name === name && Date.now() < this.#wanted.until) {
      this.#wanted = null;
      queueMicrotask(activate);
    }
    return () => {
      if (this.#registered.get(name) === activate) this.#registered.delete(name);
    };
  }

  /** Opens or focuses a control now, or as soon as its screen is drawn. */
  activate(name: ControlName): void {
    const activate = this.#registered.get(name);
    this.#wanted = activate ? null : { name, until: Date.now() + DRAWING_LIMIT_MS };
    activate?.();
  }

  /** Activates a control on the screen that was just opened. */
  async open(name: ControlName): Promise<void> {
    await tick();
    this.activate(name);
  }
}

export const [getControls, setControls] = createContext<Controls>();
