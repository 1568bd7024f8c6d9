/** Names, tags and notes of the invented devices, and the forgotten devices. */

import type { ForgottenDevices } from '../bindings/ForgottenDevices';
import type { NewDevice } from '../bindings/NewDevice';
import { failure } from './failure';
import { addedDevice, type FakeDevice } from './fleet';

/** A forgotten device can be restored for so long, seconds. */
const UNDO_WITHIN = 30;

/** The fleet as it is changed here. */
export interface FakeFleet {
  find(device: string): FakeDevice | undefined;
  add(device: FakeDevice): void;
  remove(device: string): void;
  isBusy(device: string): boolean;
  /** A device is different now. */
  changed(device: string): void;
}

export class FakeAnnotations {
  readonly #forgotten = new Map<string, { device: FakeDevice; until: number }>();

  constructor(readonly fleet: FakeFleet) {}

  add(connection: string, devices: NewDevice[]): string[] {
    for (const { device, tags } of devices) {
      if (device === '' || /[/+#]/.test(device))
        throw failure(
          'invalid',
          `'${device}' is not a valid device ID: a device ID is one topic level, so it cannot contain '/'.`,
          'The device ID is the part of the request topic before /req.',
        );
      tags.forEach(checkTag);
    }
    return devices
      .filter(({ device: id, name, tags, note }) => {
        const known = this.fleet.find(id);
        const device = known ?? addedDevice(connection, id);
        if (!known) this.fleet.add(device);
        const before = JSON.stringify([device.row, device.note]);
        device.row = { ...device.row, name: name ?? device.row.name };
        if (tags.length > 0) device.row.added_tags = [...new Set(tags)];
        device.note = note ?? device.note;
        this.fleet.changed(id);
        return !known || before !== JSON.stringify([device.row, device.note]);
      })
      .map(({ device }) => device);
  }

  name(device: FakeDevice, name: string | null): void {
    const text = exact(name ?? '', 'name');
    if (text.length > 100)
      throw failure('invalid', `The name has ${text.length} characters; the maximum is 100.`, 'Shorten it.');
    device.row = { ...device.row, name: text === '' ? null : text };
    this.fleet.changed(device.row.device);
  }

  note(device: FakeDevice, note: string | null): void {
    device.note = (note ?? '').trim() === '' ? null : note;
    this.fleet.changed(device.row.device);
  }

  tag(devices: string[], tag: string): string[] {
    checkTag(tag);
    return this.#tags(devices, (tags) => (tags.includes(tag) ? tags : [...tags, tag]));
  }

  untag(devices: string[], tag: string): string[] {
    return this.#tags(devices, (tags) => (tags.includes(tag) ? tags.filter((other) => other !== tag) : tags));
  }

  forget(devices: string[]): ForgottenDevices {
    const known = devices.filter((id) => this.fleet.find(id));
    const busy = known.filter((id) => this.fleet.isBusy(id));
    const forgotten = known.filter((id) => !busy.includes(id));
    for (const id of forgotten) {
      const device = this.fleet.find(id);
      if (device) this.#forgotten.set(id, { device, until: Date.now() + UNDO_WITHIN * 1_000 });
      this.fleet.remove(id);
      this.fleet.changed(id);
    }
    return { devices: forgotten, busy, named: [], undo_within_s: UNDO_WITHIN };
  }

  restore(devices: string[]): string[] {
    return devices.filter((id) => {
      const forgotten = this.#forgotten.get(id);
      if (!forgotten || forgotten.until < Date.now()) return false;
      this.#forgotten.delete(id);
      this.fleet.add(forgotten.device);
      this.fleet.changed(id);
      return true;
    });
  }

  #tags(devices: string[], change: (tags: string[]) => string[]): string[] {
    return devices.filter((id) => {
      const device = this.fleet.find(id);
      if (!device) return false;
      const tags = change(device.row.added_tags);
      if (tags === device.row.added_tags) return false;
      device.row = { ...device.row, added_tags: tags };
      this.fleet.changed(id);
      return true;
    });
  }
}

/** Names are used exactly; one with a space at an end is refused. */
export function exact(text: string, what: string): string {
  if (text.trim() === text) return text;
  throw failure(
    'invalid',
    `The ${what} “${text}” begins or ends with a space.`,
    'Remove the space. Names are used exactly as they are entered.',
  );
}

function checkTag(text: string): void {
  const tag = exact(text, 'tag');
  if (tag === '') throw failure('invalid', 'A tag cannot be empty.', 'Write a word, such as kitchen.');
  if (tag.length > 64)
    throw failure(
      'invalid',
      `The tag has ${tag.length.toLocaleString('en')} characters; the maximum is 64.`,
      'Shorten it, and put the rest into the note.',
    );
  if (/[,;]/.test(tag))
    throw failure('invalid', `The tag '${tag}' contains a comma or a semicolon.`, 'Set two tags instead.');
}
