/** The pane below the list of devices: the log, the charts and the traffic of the inspected device. */

import { createContext } from 'svelte';

import { DEFAULT_PREFERENCES, type PaneTab } from '../backend/backend';
import type { Controls } from './controls';
import type { Preferences } from './preferences.svelte';
import type { Route } from './route.svelte';
import { Throttle } from './throttle';

export type { PaneTab };

/** What gets the focus when the pane is opened, and when it is closed. */
export const paneControls = { tabs: Symbol('tabs'), list: Symbol('list') };

export const PANE_TABS: readonly { value: PaneTab; name: string }[] = [
  { value: 'log', name: 'Log' },
  { value: 'charts', name: 'Charts' },
  { value: 'traffic', name: 'Traffic' },
];

/** The height that it has at first, pixels. */
export const USUAL = DEFAULT_PREFERENCES.paneHeight;
/** The least height of the pane and of the list above it, pixels. */
export const LEAST = 140;
const LIST_LEAST = 200;

/** A height that is being changed is not stored more often than this. */
const PAUSE = 500;

export class LowerPane {
  /** The selected tab; nothing while the pane is closed. */
  tab = $state<PaneTab | null>(null);
  /** The keyboard focus is in the pane: the keys of its tab apply. */
  focused = $state(false);
  /** The height of the screen that it shares with the list, pixels; 0 while it is not drawn. */
  room = $state(0);
  readonly most = $derived(Math.max(LEAST, this.room - LIST_LEAST));
  readonly height: number = $derived.by(() => Math.min(this.most, Math.max(LEAST, this.preferences.paneHeight)));
  /** The tab, as far as its screen is shown. */
  readonly shown: PaneTab | null = $derived.by(() => (this.route.screen === 'fleet' ? this.tab : null));
  /** The element with the focus before the pane was opened. */
  #before: HTMLElement | null = null;
  readonly #save: Throttle;

  constructor(
    readonly preferences: Preferences,
    readonly route: Route,
    readonly controls: Controls,
  ) {
    // A height that cannot be stored needs no notice.
    this.#save = new Throttle(PAUSE, () => void preferences.change({}).catch(() => undefined));
  }

  /** Opens it, or selects another tab, and moves the focus there. */
  show(tab: PaneTab): Promise<void> {
    if (!this.focused && document.activeElement instanceof HTMLElement) this.#before = document.activeElement;
    this.tab = tab;
    if (this.route.screen !== 'fleet') this.route.go('fleet');
    return this.controls.open(paneControls.tabs);
  }

  /** Opens it with this tab, or closes it where that is shown. */
  toggle(tab: PaneTab): void {
    if (this.shown === tab) this.close();
    else void this.show(tab);
  }

  /** Closes it, and returns the focus to where it was. */
  close(): void {
    const returns = this.focused;
    this.tab = null;
    this.focused = false;
    if (!returns) return;
    if (this.#before?.isConnected && this.#before !== document.body) this.#before.focus();
    else this.controls.activate(paneControls.list);
    this.#before = null;
  }

  resize(height: number): void {
    this.preferences.paneHeight = Math.round(Math.min(this.most, Math.max(LEAST, height)));
    this.#save.ask();
  }

  /** Whether this content is shown, here or on a screen of its own. */
  isVisible(tab: PaneTab): boolean {
    return this.route.screen === tab || this.shown === tab;
  }

  /** Whether its keys apply: in the pane only while the focus is there. */
  hasKeys(tab: PaneTab): boolean {
    return this.route.screen === tab || (this.shown === tab && this.focused);
  }
}

export const [getLowerPane, setLowerPane] = createContext<LowerPane>();
