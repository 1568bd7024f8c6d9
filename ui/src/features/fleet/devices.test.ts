import { expect, it, vi } from 'vitest';

import type { Backend } from '../../backend/backend';
import type { DeviceRow } from '../../backend/bindings/DeviceRow';
import type { NewDevice } from '../../backend/bindings/NewDevice';
import { Devices } from './devices.svelte';
import { Notices } from '../../state/notices.svelte';
import { Undo } from '../../state/undo.svelte';

/** Devices of a connection that already lists these. */
function devicesWith(...known: string[]) {
  const backend = {
    deviceRows: async (_connection: string, devices: string[]) =>
      devices.filter((device) => known.includes(device)).map((device) => ({ device }) as DeviceRow),
    // As the engine does: also devices that are known and different now.
    addDevices: async (_connection: string, devices: NewDevice[]) => devices.map(({ device }) => device),
    forgetDevices: vi.fn(async (_connection: string, devices: string[]) => ({ devices })),
  };
  const notices = new Notices();
  vi.spyOn(notices, 'reportError').mockImplementation((reason) => expect.unreachable(String(reason)));
  const undo = new Undo(notices);
  return { devices: new Devices(backend as unknown as Backend, undo, () => undefined), backend, notices, undo };
}

const pump: NewDevice = { device: 'pump-7', name: 'Pump', tags: [], note: null };

it('undoes the adding of a new device by forgetting it', async () => {
  const { devices, backend, notices, undo } = devicesWith();
  await devices.add('bench', pump);
  expect(notices.list.map(({ message }) => message)).toEqual(['Added pump-7.']);
  await undo.last();
  expect(backend.forgetDevices).toHaveBeenCalledWith('bench', ['pump-7']);
});

it('never forgets a device that was known before and only got another name', async () => {
  const { devices, backend, notices, undo } = devicesWith('pump-7');
  await devices.add('bench', pump);
  expect(notices.list.map(({ message }) => message)).toEqual(['Updated pump-7.']);
  expect(undo.available).toBe(false);
  await undo.last();
  expect(backend.forgetDevices).not.toHaveBeenCalled();
});
