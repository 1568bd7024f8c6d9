/** Invented CSV files: every path contains the same devices. */

import type { DeviceImport } from '../bindings/DeviceImport';
import type { NewDevice } from '../bindings/NewDevice';
import { failure, wait } from './failure';

const LINES = 120;
const AT_ONCE = 20;

export class FakeDeviceFiles {
  #stopped = false;

  constructor(
    /** Milliseconds for some lines. */
    readonly pace: number,
    readonly isKnown: (device: string) => boolean,
  ) {}

  async read(
    path: string,
    take: (devices: NewDevice[]) => void,
    tell: (view: DeviceImport) => void,
  ): Promise<DeviceImport> {
    this.#stopped = false;
    if (!path.endsWith('.csv'))
      throw failure('file', `${path} is a spreadsheet or an archive, not a CSV file.`, 'Save it as CSV UTF-8.');
    let view: DeviceImport = {
      columns: [
        { name: 'device', kind: 'device' },
        { name: 'name', kind: 'name' },
        { name: 'tags', kind: 'tags' },
        { name: 'colour', kind: null },
      ],
      lines: 0,
      new: 0,
      changed: 0,
      same: 0,
      refused: 0,
      errors: [],
      examples: [],
      bytes: 0,
      total_bytes: LINES * 30,
      stopped: false,
    };
    while (view.lines < LINES) {
      await wait(this.pace);
      if (this.#stopped) return { ...view, stopped: true };
      const numbers = Array.from({ length: AT_ONCE }, (_, i) => view.lines + i + 1);
      const devices = numbers
        .filter((number) => number !== 7)
        .map((number) => ({ device: `spare-${number}`, name: `Spare ${number}`, tags: ['delivery-12'], note: null }));
      const fresh = devices.filter(({ device }) => !this.isKnown(device));
      const bad = numbers.includes(7);
      view = {
        ...view,
        lines: view.lines + AT_ONCE,
        new: view.new + fresh.length,
        same: view.same + devices.length - fresh.length,
        refused: view.refused + Number(bad),
        errors: bad
          ? [
              {
                line: 8,
                message: "'a/b' is not a valid device ID: a device ID is one topic level, so it cannot contain '/'.",
              },
            ]
          : view.errors,
        examples: view.examples.length > 0 ? view.examples : fresh.slice(0, 5),
        bytes: (view.lines + AT_ONCE) * 30,
      };
      take(fresh);
      tell(view);
    }
    return view;
  }

  stop(): void {
    this.#stopped = true;
  }
}
