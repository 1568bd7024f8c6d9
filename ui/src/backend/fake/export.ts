/** Exports that write nothing, but remember their path. */

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
      const hint = `Enter the full path, such as /home/you/${path.split('/').at(-1) ?? ''}`;
      throw failure('invalid', `'${path}' has no folder.`, hint);
    }
    if (this.#written.has(path) && !replace) {
      const hint = 'Choose another name, or confirm replacing the file.';
      throw failure('exists', `${path} already exists.`, hint);
    }
    if (path.startsWith('/nowhere/')) {
      throw failure('file', `The folder of ${path} does not exist.`, 'Choose a writable folder.');
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
