import { createContext } from 'svelte';

import {
  DEFAULT_PREFERENCES,
  type Backend,
  type Density,
  type Preferences as Kept,
  type Theme,
  type View,
} from '../backend/backend';

/** The sizes there are, as browsers have them. */
const ZOOMS = [0.5, 0.67, 0.75, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2];

/** From this size on the inspector lies over the list. */
const LARGE = 1.5;

export class Preferences {
  theme = $state<Theme>(DEFAULT_PREFERENCES.theme);
  density = $state<Density>(DEFAULT_PREFERENCES.density);
  zoom = $state(DEFAULT_PREFERENCES.zoom);
  /** The height of the pane below the list of devices, pixels; how much of it fits is another matter. */
  paneHeight = $state(DEFAULT_PREFERENCES.paneHeight);
  connection = $state<string | null>(DEFAULT_PREFERENCES.connection);
  view = $state.raw<View | null>(DEFAULT_PREFERENCES.view);
  /** The height of a row in every list, pixels: `--h-row` of the design tokens. */
  readonly rowHeight = $derived(this.density === 'compact' ? 24 : 32);

  constructor(readonly backend: Backend) {}

  async load(): Promise<void> {
    const kept = await this.backend.loadPreferences();
    this.theme = kept.theme;
    this.density = kept.density;
    this.zoom = nearest(kept.zoom);
    this.paneHeight = kept.paneHeight;
    this.connection = kept.connection;
    this.view = kept.view;
    this.#show();
    await this.backend.setZoom(this.zoom);
  }

  async change(change: Partial<Kept>): Promise<void> {
    Object.assign(this, change);
    this.#show();
    const { theme, density, zoom, paneHeight, connection, view } = this;
    await this.backend.savePreferences({ theme, density, zoom, paneHeight, connection, view });
  }

  /** Zooms one step in or out, within the limits. */
  zoomBy(by: -1 | 1): Promise<void> {
    return this.zoomTo(ZOOMS[ZOOMS.indexOf(this.zoom) + by] ?? this.zoom);
  }

  async zoomTo(zoom: number): Promise<void> {
    await this.backend.setZoom(zoom);
    await this.change({ zoom });
  }

  #show(): void {
    const { dataset } = document.documentElement;
    if (this.theme === 'system') delete dataset['theme'];
    else dataset['theme'] = this.theme;
    // From here on there is too little room beside a list.
    if (this.zoom >= LARGE) dataset['zoom'] = 'large';
    else delete dataset['zoom'];
    if (this.density === 'comfortable') delete dataset['density'];
    else dataset['density'] = this.density;
  }
}

export const [getPreferences, setPreferences] = createContext<Preferences>();

/** The step nearest to a zoom factor from the file. */
function nearest(zoom: number): number {
  const off = (size: number) => Math.abs(size - zoom);
  return ZOOMS.reduce((best, size) => (off(size) < off(best) ? size : best), DEFAULT_PREFERENCES.zoom);
}
