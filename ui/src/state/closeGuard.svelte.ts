import { createContext } from 'svelte';

import type { Backend } from '../backend/backend';
import { counted } from '../format/count';
import { visible, visibleName } from '../format/text';
import type { Catalogue } from './catalogue.svelte';
import type { CommandComposer } from './commandComposer.svelte';
import type { Connections } from './connections.svelte';
import type { Inspected } from './inspected.svelte';
import type { Notices } from './notices.svelte';

/** Unsaved input when the window closes, and the question about it. */
export class CloseGuard {
  /** The user wants to close the window. */
  wanted = $state(false);
  /** The names of unsaved input. */
  readonly unsaved: string[] = $derived.by(() => [...this.#unsaved(), ...this.#drafts.flatMap((list) => list())]);
  /** The names of tasks that stop when the window closes. */
  readonly running: string[] = $derived.by(() => this.#running.flatMap((list) => list()));
  readonly #holds = $derived(this.unsaved.length + this.running.length > 0);
  readonly asks = $derived(this.wanted && this.#holds);
  #running = $state.raw<(() => string[])[]>([]);
  #drafts = $state.raw<(() => string[])[]>([]);

  constructor(
    readonly backend: Backend,
    readonly notices: Notices,
    readonly catalogue: Catalogue,
    readonly composer: CommandComposer,
    readonly connections: Connections,
    readonly inspected: Inspected,
  ) {}

  /** A feature names what it runs that does not continue while the window is closed. */
  watchRunning(list: () => string[]): void {
    this.#running = [...this.#running, list];
  }

  /** A feature names what was typed there and would be lost. */
  watchDrafts(list: () => string[]): void {
    this.#drafts = [...this.#drafts, list];
  }

  /** Intercepts closing while something is unsaved or running. Otherwise the window closes at once. */
  watch(): void {
    $effect.root(() => {
      const holds = $derived(this.#holds);
      $effect(() => {
        if (!holds) return;
        const watching = this.backend.onCloseRequested(() => (this.wanted = true));
        // Without it the window closes unasked, which is no reason to disturb anybody.
        watching.catch(() => undefined);
        return () => {
          this.wanted = false;
          void watching.then((end) => end()).catch(() => undefined);
        };
      });
    });
  }

  stay(): void {
    this.wanted = false;
  }

  async leave(): Promise<void> {
    this.wanted = false;
    try {
      await this.backend.closeWindow();
    } catch (reason) {
      this.notices.reportError(reason);
    }
  }

  #unsaved(): string[] {
    const { composer, catalogue, connections, inspected } = this;
    const { editor } = catalogue;
    const { wizard } = connections;
    // Input for a removed connection can no longer be applied.
    const left = inspected.unapplied.filter(({ connection }) => connections.list.some(({ id }) => id === connection));
    const edited = left.map(
      ({ device, count }) => `${counted(count, 'change')} to the configuration of ${visibleName(device)}, not applied`,
    );
    return [
      ...(composer.isFilled ? [`Your input for ${visible(composer.title)}`] : []),
      ...(editor?.unsaved ? [`Your description of ${visible(editor.called)}`] : []),
      ...edited,
      ...(wizard?.unsaved
        ? [wizard.editing ? `Your changes to ${visibleName(wizard.editing.name)}` : 'A new connection']
        : []),
    ];
  }
}

export const [getCloseGuard, setCloseGuard] = createContext<CloseGuard>();
