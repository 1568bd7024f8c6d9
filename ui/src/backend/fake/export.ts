/** Exports that write nothing, but remember where something would lie. */

import type { ExportView } from '../bindings/ExportView';
import type { FileToWrite } from '../bindings/FileToWrite';
import { failure, wait } from './failure';

const PAGE = 1_000;

export class FakeExport {
  #stopped = false;
  readonly #written = new Set<string>();

  constructor(
    /** Milliseconds a page takes. */
    readonly pace: number,
  ) {}

  async run(matching: number, to: FileToWrite, onView: (view: ExportView) => void): Promise<ExportView> {
    this.#stopped = false;
    this.check(to);
    let view: ExportView = { written: 0, matching, stopped: false, path: null };
    while (view.written < matching) {
      await wait(this.pace);
      if (this.#stopped) return { ...view, stopped: true };
      view = { ...view, written: Math.min(matching, view.written + PAGE) };
      onView(view);
    }
    return { ...view, path: this.wrote(to) };
  }

  /** Refuses a place where nothing can be written, or not unasked; otherwise says where it would lie. */
  check({ path: typed, replace }: FileToWrite): string {
    const path = typed.replace(/^~(?=\/)/, '/home/you');
    if (!path.startsWith('/')) {
      const hint = `Give the whole path, such as /home/you/${path.split('/').at(-1) ?? ''}`;
      throw failure('invalid', `'${path}' does not say in which folder.`, hint);
    }
    if (this.#written.has(path) && !replace) {
      const hint = 'Give another name, or say that it is to be replaced.';
      throw failure('exists', `There is already a file ${path}.`, hint);
    }
    if (path.startsWith('/nowhere/')) {
      throw failure(
        'file',
        `There is no folder for ${path}.`,
        'Choose another place, in a folder that you may write to.',
      );
    }
    return path;
  }

  wrote(to: FileToWrite): string {
    const path = this.check(to);
    this.#written.add(path);
    return path;
  }

  stop(): void {
    this.#stopped = true;
  }
}
