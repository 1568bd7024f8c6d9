import type { Backend } from '../backend/backend';
import type { ExportFormat } from '../backend/bindings/ExportFormat';
import type { ExportView } from '../backend/bindings/ExportView';
import type { Failure } from '../backend/bindings/Failure';
import type { HistoryQuery } from '../backend/bindings/HistoryQuery';
import { failureOf } from './failure';

/** The history on its way to a file. It goes on while other screens are looked at. */
export class HistoryExport {
  /** How far it is; nothing while none is under way. */
  view = $state.raw<ExportView | null>(null);
  failure = $state.raw<Failure | null>(null);

  constructor(readonly backend: Backend) {}

  /** How it ended; nothing where it failed, or another one is under way. */
  async start(query: HistoryQuery, path: string, format: ExportFormat): Promise<ExportView | null> {
    if (this.view !== null) return null;
    this.view = { written: 0, matching: null, stopped: false };
    this.failure = null;
    try {
      return await this.backend.exportHistory(query, path, format, (view) => {
        if (this.view !== null) this.view = view;
      });
    } catch (reason) {
      this.failure = failureOf(reason);
      return null;
    } finally {
      this.view = null;
    }
  }

  async stop(): Promise<void> {
    try {
      await this.backend.stopExport();
    } catch (reason) {
      this.failure = failureOf(reason);
    }
  }
}
