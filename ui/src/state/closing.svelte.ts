import type { App } from './app.svelte';
import { counted } from '../words/count';
import { visible } from '../words/text';

/** What would be lost with the window, and whether it is asked to go all the same. */
export class Closing {
  /** Somebody wants to close the window. */
  wanted = $state(false);
  /** What is not saved, each as people call it. */
  readonly unsaved: string[] = $derived.by(() => this.#unsaved());
  readonly asks = $derived(this.wanted && this.unsaved.length > 0);

  constructor(readonly app: App) {}

  /** Asks first as long as something is unsaved. Otherwise nobody hears of it here, and the window closes by itself. */
  watch(): void {
    $effect.root(() => {
      const holds = $derived(this.unsaved.length > 0);
      $effect(() => {
        if (!holds) return;
        const watching = this.app.backend.onCloseRequested(() => (this.wanted = true));
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
      await this.app.backend.closeWindow();
    } catch (reason) {
      this.app.complain(reason);
    }
  }

  #unsaved(): string[] {
    const { asking, catalogue, connections, inspected } = this.app;
    const { describing } = catalogue;
    const { wizard } = connections;
    // What was typed for a connection that has gone can be applied no more.
    const left = inspected.unapplied.filter(({ connection }) => connections.list.some(({ id }) => id === connection));
    const edited = left.map(
      ({ device, count }) => `${counted(count, 'change')} to the configuration of ${visible(device)}, not applied`,
    );
    return [
      ...(asking.isFilled ? [`What you filled in for ${visible(asking.title)}`] : []),
      ...(describing?.unsaved ? [`What you wrote of ${visible(describing.called)}`] : []),
      ...edited,
      ...(wizard?.unsaved
        ? [wizard.editing ? `Your changes to ${visible(wizard.editing.name)}` : 'A new connection']
        : []),
    ];
  }
}
