import {
  DEFAULT_PREFERENCES,
  type Backend,
  type Density,
  type Preferences as Kept,
  type Theme,
} from '../backend/backend';

export class Preferences {
  theme = $state<Theme>(DEFAULT_PREFERENCES.theme);
  density = $state<Density>(DEFAULT_PREFERENCES.density);
  connection = $state<string | null>(DEFAULT_PREFERENCES.connection);
  /** The height of a row in every list, pixels: `--h-row` of the design tokens. */
  readonly rowHeight = $derived(this.density === 'compact' ? 24 : 32);

  constructor(readonly backend: Backend) {}

  async load(): Promise<void> {
    const kept = await this.backend.loadPreferences();
    this.theme = kept.theme;
    this.density = kept.density;
    this.connection = kept.connection;
    this.#show();
  }

  async change(change: Partial<Kept>): Promise<void> {
    Object.assign(this, change);
    this.#show();
    await this.backend.savePreferences({ theme: this.theme, density: this.density, connection: this.connection });
  }

  #show(): void {
    const { dataset } = document.documentElement;
    if (this.theme === 'system') delete dataset['theme'];
    else dataset['theme'] = this.theme;
    if (this.density === 'comfortable') delete dataset['density'];
    else dataset['density'] = this.density;
  }
}
