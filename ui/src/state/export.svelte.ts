import type { Backend } from '../backend/backend';
import type { ExportFormat } from '../backend/bindings/ExportFormat';
import type { ExportView } from '../backend/bindings/ExportView';
import type { FileToWrite } from '../backend/bindings/FileToWrite';
import type { HistoryQuery } from '../backend/bindings/HistoryQuery';

/** An export of the history to a file. It continues while other screens are open. */
export class HistoryExport {
  /** How far it is; nothing while none is in progress. */
  view = $state.raw<ExportView | null>(null);

  constructor(readonly backend: Backend) {}

  /** How it ended; nothing where another one is in progress. */
  async start(query: HistoryQuery, to: FileToWrite, format: ExportFormat): Promise<ExportView | null> {
    if (this.view !== null) return null;
    this.view = { written: 0, matching: null, stopped: false, path: null };
    try {
      return await this.backend.exportHistory(query, to, format, (view) => {
        if (this.view !== null) this.view = view;
      });
    } finally {
      this.view = null;
    }
  }

  stop(): Promise<void> {
    return this.backend.stopExport();
  }
}
