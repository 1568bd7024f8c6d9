/** Exports that write nothing. */

import type { ExportView } from '../bindings/ExportView';
import { failure, wait } from './failure';

const PAGE = 1_000;

export class FakeExport {
  #stopped = false;

  constructor(
    /** Milliseconds a page takes. */
    readonly pace: number,
  ) {}

  async run(matching: number, path: string, onView: (view: ExportView) => void): Promise<ExportView> {
    this.#stopped = false;
    this.check(path);
    let view: ExportView = { written: 0, matching, stopped: false };
    while (view.written < matching) {
      await wait(this.pace);
      if (this.#stopped) return { ...view, stopped: true };
      view = { ...view, written: Math.min(matching, view.written + PAGE) };
      onView(view);
    }
    return view;
  }

  /** Refuses a place where nothing can be written. */
  check(path: string): void {
    if (path.startsWith('/nowhere/')) {
      throw failure(
        'file',
        `There is no folder for ${path}.`,
        'Choose another place, in a folder that you may write to.',
      );
    }
  }

  stop(): void {
    this.#stopped = true;
  }
}
