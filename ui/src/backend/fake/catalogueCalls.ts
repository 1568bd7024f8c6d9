/** Dialects, the catalogue of commands, and buttons. */

import type { CatalogueEntry } from '../bindings/CatalogueEntry';
import type { CommandButton } from '../bindings/CommandButton';
import type { CommandDefinition } from '../bindings/CommandDefinition';
import type { CommandPreview } from '../bindings/CommandPreview';
import type { CommandToPreview } from '../bindings/CommandToPreview';
import type { DialectView } from '../bindings/DialectView';
import type { FoundDialect } from '../bindings/FoundDialect';
import type { FileToWrite } from '../bindings/FileToWrite';
import type { ImportLine } from '../bindings/ImportLine';
import type { DialectDraft } from '../bindings/DialectDraft';
import type { DraftSource } from '../bindings/DraftSource';
import type { OwnDialect } from '../bindings/OwnDialect';
import type { SampleMessage } from '../bindings/SampleMessage';
import type { ConnectionView } from '../bindings/ConnectionView';
import { DIALECTS } from './dialects';
import { wait } from './failure';
import type { FakeEngine } from './engine';

export function catalogueCalls(engine: FakeEngine) {
  return {
    async subscribe(): Promise<void> {
      await wait(engine.options.pace);
    },

    async unsubscribe(): Promise<void> {},

    async draftDialect(source: DraftSource, messages: SampleMessage[]): Promise<DialectDraft> {
      await wait(5);
      return engine.drafts.draft(source, messages);
    },

    async ownDialects(connection: string): Promise<OwnDialect[]> {
      return engine.connections.ownDialects(connection);
    },

    async saveDialect(
      connection: string,
      text: string,
      replaces: string | null,
      enable: boolean,
    ): Promise<ConnectionView> {
      const view = engine.connections.saveDialect(connection, text, replaces, enable);
      engine.touch();
      return view;
    },

    async removeDialect(connection: string, name: string): Promise<ConnectionView> {
      const view = engine.connections.removeDialect(connection, name);
      engine.touch();
      return view;
    },

    async exportDialect(_connection: string, _name: string, to: FileToWrite): Promise<string> {
      return to.path;
    },

    async readDialect(): Promise<string> {
      return engine.drafts.draft({ from: 'new' }, []).text;
    },

    async findDialects(): Promise<FoundDialect[]> {
      await wait(engine.options.pace);
      return [{ name: 'shelly', title: 'Shelly', devices: 3, examples: ['Attic', 'Hall', 'Porch'] }];
    },

    async dialects(): Promise<DialectView[]> {
      return DIALECTS;
    },

    async catalogue(): Promise<CatalogueEntry[]> {
      return engine.catalogue.entries();
    },

    async saveDefinition(id: string | null, definition: CommandDefinition): Promise<CatalogueEntry> {
      return engine.catalogue.save(id, definition);
    },

    async removeDefinition(id: string): Promise<void> {
      engine.catalogue.remove(id);
    },

    async previewCommand(command: CommandToPreview): Promise<CommandPreview> {
      return engine.catalogue.preview(command);
    },

    async readCatalogue(path: string): Promise<ImportLine[]> {
      return engine.catalogue.read(path);
    },

    async importCatalogue(path: string, replace: string[]): Promise<ImportLine[]> {
      return engine.catalogue.import(path, replace);
    },

    async exportCatalogue(ids: string[], to: FileToWrite): Promise<string> {
      engine.catalogue.export(ids);
      return engine.export.wrote(to);
    },

    async buttons(): Promise<CommandButton[]> {
      return engine.catalogue.buttons();
    },

    async saveButton(button: CommandButton): Promise<CommandButton> {
      return engine.catalogue.saveButton(button);
    },

    async orderButtons(ids: string[]): Promise<void> {
      engine.catalogue.orderButtons(ids);
    },

    async removeButton(id: string): Promise<void> {
      engine.catalogue.removeButton(id);
    },
  };
}
