import {
  DEFAULT_PREFERENCES,
  type Backend,
  type Density,
  type Preferences as Kept,
  type Theme,
  type View,
} from '../backend/backend';

export class Preferences {
  theme = $state<Theme>(DEFAULT_PREFERENCES.theme);
  density = $state<Density>(DEFAULT_PREFERENCES.density);
  connection = $state<string | null>(DEFAULT_PREFERENCES.connection);
  view = $state.raw<View | null>(DEFAULT_PREFERENCES.view);
  /** The height of a row in every list, pixels: `--h-row` of the design tokens. */
  readonly rowHeight = $derived(this.density === 'compact' ? 24 : 32);

  constructor(readonly backend: Backend) {}

  async load(): Promise<void> {
    const kept = await this.backend.loadPreferences();
    this.theme = kept.theme;
    this.density = kept.density;
    this.connection = kept.connection;
    this.view = kept.view;
    this.#show();
  }

  async change(change: Partial<Kept>): Promise<void> {
    Object.assign(this, change);
    this.#show();
    const { theme, density, connection, view } = this;
    await this.backend.savePreferences({ theme, density, connection, view });
  }

  #show(): void {
    const { dataset } = document.documentElement;
    if (this.theme === 'system') delete dataset['theme'];
    else dataset['theme'] = this.theme;
    if (this.density === 'comfortable') delete dataset['density'];
    else dataset['density'] = this.density;
  }
}
