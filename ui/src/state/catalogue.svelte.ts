import { createContext } from 'svelte';

import type { Backend } from '../backend/backend';
import type { CatalogueEntry } from '../backend/bindings/CatalogueEntry';
import type { CommandButton } from '../backend/bindings/CommandButton';
import type { CommandDefinition } from '../backend/bindings/CommandDefinition';
import type { CommandPreview } from '../backend/bindings/CommandPreview';
import type { CommandToPreview } from '../backend/bindings/CommandToPreview';
import type { ImportLine } from '../backend/bindings/ImportLine';
import { DefinitionEditor } from './definitionEditor.svelte';
import { lasting } from './lasting.svelte';

/** The catalogue of commands, and the buttons made from them. */
export class Catalogue {
  entries = $state.raw<CatalogueEntry[]>([]);
  buttons = $state.raw<CommandButton[]>([]);
  /** A command that is being described. It stays while another screen is open. */
  editor = $state.raw<DefinitionEditor | null>(null);

  constructor(readonly backend: Backend) {}

  async load(): Promise<void> {
    [this.entries, this.buttons] = await Promise.all([this.backend.catalogue(), this.backend.buttons()]);
  }

  /** There is nothing of one's own. */
  get isEmpty(): boolean {
    return this.buttons.length === 0 && this.entries.every((entry) => entry.built_in);
  }

  /** The commands of a connection; where it has its own of a name, not the one for all. */
  of(connection: string): CatalogueEntry[] {
    const fitting = this.entries.filter(({ definition }) => [null, connection].includes(definition.connection));
    return fitting.filter((entry) => this.find(connection, entry.definition.name) === entry);
  }

  find(connection: string, name: string): CatalogueEntry | null {
    const named = this.entries.filter(({ definition }) => definition.name === name);
    const own = named.find(({ definition }) => definition.connection === connection);
    return own ?? named.find(({ definition }) => definition.connection === null) ?? null;
  }

  /** It interrupts the device and needs confirmation. */
  isDangerous(connection: string, name: string): boolean {
    return this.find(connection, name)?.definition.dangerous ?? false;
  }

  buttonsOf(connection: string): CommandButton[] {
    return this.buttons.filter((button) => [null, connection].includes(button.connection));
  }

  /** Opens the editor: for a new command, or to change or copy an existing one. */
  describe(entry: CatalogueEntry | null, copied = false): void {
    this.editor = lasting(() => new DefinitionEditor(this, entry, copied));
  }

  async save(id: string | null, definition: CommandDefinition): Promise<CatalogueEntry> {
    const saved = await this.backend.saveDefinition(id, definition);
    await this.load();
    return saved;
  }

  async remove(id: string): Promise<void> {
    await this.backend.removeDefinition(id);
    await this.load();
  }

  preview(command: CommandToPreview): Promise<CommandPreview> {
    return this.backend.previewCommand(command);
  }

  read(path: string): Promise<ImportLine[]> {
    return this.backend.readCatalogue(path);
  }

  async import(path: string, replace: string[]): Promise<ImportLine[]> {
    const taken = await this.backend.importCatalogue(path, replace);
    await this.load();
    return taken;
  }

  /** Asks for a file and writes one's own commands and the buttons to it; where to, or nothing where the person would not. */
  async export(): Promise<string | null> {
    const path = await this.backend.chooseSavePath('Export commands', 'commands.json');
    // The system's dialog has confirmed that an existing file is replaced.
    return path === null ? null : this.backend.exportCatalogue([], { path, replace: true });
  }

  async saveButton(button: CommandButton): Promise<void> {
    await this.backend.saveButton(button);
    this.buttons = await this.backend.buttons();
  }

  async removeButton(id: string): Promise<void> {
    await this.backend.removeButton(id);
    this.buttons = await this.backend.buttons();
  }

  /** Brings a removed button back, at the place where it was. */
  async restoreButton(button: CommandButton, place: number): Promise<void> {
    await this.saveButton(button);
    const ids = this.buttons.map(({ id }) => id).filter((id) => id !== button.id);
    ids.splice(place, 0, button.id);
    await this.backend.orderButtons(ids);
    this.buttons = await this.backend.buttons();
  }

  /** Moves a button one place up or down. */
  async moveButton(id: string, by: -1 | 1): Promise<void> {
    const ids = this.buttons.map((button) => button.id);
    const from = ids.indexOf(id);
    const other = ids[from + by];
    if (from < 0 || other === undefined) return;
    ids[from + by] = id;
    ids[from] = other;
    await this.backend.orderButtons(ids);
    this.buttons = await this.backend.buttons();
  }
}

export const [getCatalogue, setCatalogue] = createContext<Catalogue>();
