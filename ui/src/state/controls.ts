/** Popovers and fields that actions and shortcuts reach from elsewhere: each is registered while it is drawn. */

import { createContext, tick } from 'svelte';

/** How long a screen may take to be drawn, milliseconds. */
const DRAWING_LIMIT_MS = 1_000;

/** A popover or field. Its feature declares it once, in its `controls.ts`. */
export type Control = symbol;

export class Controls {
  readonly #registered = new Map<Control, Map<string, () => void>>();
  #wanted: { control: Control; of: string; until: number } | null = null;

  /**
   * Registers what opens or focuses a control. Where each row of a list has one, `of` is the ID of the row. The function
   * that is returned withdraws it.
   */
  register(control: Control, activate: () => void, of = ''): () => void {
    const drawn = this.#registered.get(control) ?? new Map<string, () => void>();
    this.#registered.set(control, drawn.set(of, activate));
    const wanted = this.#wanted;
    if (wanted?.control === control && wanted.of === of && Date.now() < wanted.until) {
      this.#wanted = null;
      queueMicrotask(activate);
    }
    return () => {
      if (drawn.get(of) === activate) drawn.delete(of);
    };
  }

  /** Opens or focuses a control now, or as soon as its screen is drawn. */
  activate(control: Control, of = ''): void {
    const activate = this.#registered.get(control)?.get(of);
    this.#wanted = activate ? null : { control, of, until: Date.now() + DRAWING_LIMIT_MS };
    activate?.();
  }

  /** Activates a control on the screen that was just opened. */
  async open(control: Control, of = ''): Promise<void> {
    await tick();
    this.activate(control, of);
  }
}

export const [getControls, setControls] = createContext<Controls>();
