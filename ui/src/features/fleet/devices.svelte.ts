/** Adds, names, tags and forgets devices, and undoes that. */

import { createContext } from 'svelte';

import type { NewDevice } from '../../backend/bindings/NewDevice';
import { counted } from '../../format/count';
import { visibleName } from '../../format/text';
import type { Backend } from '../../state/backend';
import type { Undo } from '../../state/undo.svelte';

export class Devices {
  constructor(
    readonly backend: Backend,
    readonly undo: Undo,
    /** Something of devices is different now. */
    readonly onchange: () => void,
  ) {}

  async add(connection: string, device: NewDevice): Promise<void> {
    const known = (await this.backend.deviceRows(connection, [device.device])).length > 0;
    const added = await this.backend.addDevices(connection, [device]);
    this.onchange();
    if (added.length === 0) return;
    const name = visibleName(device.device);
    // Forgetting it would also delete what was there before.
    if (known) return this.undo.notices.add([{ level: 'info', message: `Updated ${name}.`, hint: null }]);
    this.undo.offer(`Added ${name}.`, async () => {
      await this.backend.forgetDevices(connection, added);
      this.onchange();
      return `Removed ${name} again.`;
    });
  }

  async name(connection: string, device: string, name: string, before: string | null): Promise<void> {
    if (name === (before ?? '')) return;
    const rename = async (to: string | null) => {
      await this.backend.nameDevice(connection, device, to);
      this.onchange();
    };
    await rename(name);
    this.undo.offer(
      name === ''
        ? `Removed the name of ${visibleName(device)}.`
        : `Named ${visibleName(device)} “${visibleName(name)}”.`,
      async () => {
        await rename(before);
        return `Restored the name of ${visibleName(device)}.`;
      },
    );
  }

  /** Sets or removes the password of a device, or of all devices of the connection. */
  async password(connection: string, device: string | null, password: string | null): Promise<void> {
    await this.backend.setDevicePassword(connection, device, password);
    this.onchange();
    const whose = device === null ? 'all devices' : visibleName(device);
    const message = `${password === null ? 'Removed' : 'Set'} the password of ${whose}.`;
    this.undo.notices.add([{ level: 'info', message, hint: null }]);
  }

  async note(connection: string, device: string, note: string, before: string | null): Promise<void> {
    if (note === (before ?? '')) return;
    const write = async (to: string | null) => {
      await this.backend.noteDevice(connection, device, to);
      this.onchange();
    };
    await write(note);
    this.undo.offer(`Saved the note of ${visibleName(device)}.`, async () => {
      await write(before);
      return `Restored the note of ${visibleName(device)}.`;
    });
  }

  /** Sets a tag of devices. */
  async tag(connection: string, devices: string[], tag: string): Promise<void> {
    const tagged = await this.backend.tagDevices(connection, devices, tag);
    this.onchange();
    const word = visibleName(tag);
    if (tagged.length === 0)
      return this.undo.notices.add([
        { level: 'info', message: `All of them already have the tag ${word}.`, hint: null },
      ]);
    this.undo.offer(`Tagged ${whichOf(tagged)} with ${word}.`, async () => {
      await this.backend.untagDevices(connection, tagged, tag);
      this.onchange();
      return `Removed the tag ${word} again.`;
    });
  }

  /** Removes a tag that was set here. */
  async untag(connection: string, devices: string[], tag: string): Promise<void> {
    const untagged = await this.backend.untagDevices(connection, devices, tag);
    this.onchange();
    if (untagged.length === 0) return;
    const word = visibleName(tag);
    this.undo.offer(`Removed the tag ${word} from ${whichOf(untagged)}.`, async () => {
      await this.backend.tagDevices(connection, untagged, tag);
      this.onchange();
      return `Set the tag ${word} again.`;
    });
  }

  /** Forgets devices without unfinished commands. Returns the forgotten ones. */
  async forget(connection: string, devices: string[]): Promise<string[]> {
    const forgotten = await this.backend.forgetDevices(connection, devices);
    this.onchange();
    const gone = forgotten.devices;
    const kept = [
      forgotten.busy.length > 0 &&
        `${whichOf(forgotten.busy)} ${forgotten.busy.length === 1 ? 'has an unfinished command' : 'have unfinished commands'}`,
      forgotten.named.length > 0 &&
        `${whichOf(forgotten.named)} ${forgotten.named.length === 1 ? 'is' : 'are'} listed under Only these devices`,
    ].filter(Boolean);
    if (kept.length > 0) {
      const message = `${gone.length === 0 ? 'Nothing was forgotten' : 'Not all were forgotten'}: ${kept.join('; ')}.`;
      const hint =
        forgotten.busy.length > 0 ? 'Cancel the commands, stop the rollout, or wait until they finish.' : null;
      this.undo.notices.add([{ level: 'warning', message, hint }]);
    }
    if (gone.length === 0) return gone;
    this.undo.offer(
      `Forgot ${whichOf(gone)}.`,
      async () => {
        const restored = await this.backend.restoreDevices(connection, gone);
        this.onchange();
        return restored.length === 0 ? 'This can no longer be undone.' : `Restored ${whichOf(restored)}.`;
      },
      forgotten.undo_within_s,
    );
    return gone;
  }
}

export const [getDevices, setDevices] = createContext<Devices>();

function whichOf(devices: readonly string[]): string {
  return devices.length === 1 ? visibleName(devices[0] ?? '') : counted(devices.length, 'device');
}
