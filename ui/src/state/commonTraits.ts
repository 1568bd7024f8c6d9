import type { Backend } from '../backend/backend';
import type { CommandView } from '../backend/bindings/CommandView';
import type { DeviceQuery } from '../backend/bindings/DeviceQuery';
import { alike, sharedText, traits } from '../format/traits';

/** Enough to see a pattern. */
const LOOKED_AT = 500;
/** A property that nearly every device has explains nothing. */
const COMMON_PLACE = 0.8;

/** Asks the fleet what those that fell short like this command have in common. Empty where there is nothing to say. */
export async function commonTraits(backend: Backend, command: CommandView): Promise<string> {
  const query = (search: string): DeviceQuery => ({
    connection: command.connection,
    search,
    sort: 'device',
    order: 'ascending',
    group: null,
  });
  const short = await backend.devices(query(`state:${command.state}`), 0, LOOKED_AT);
  const devices = alike(short.rows, command);
  if (devices.length < 2) return '';
  for (const trait of traits(devices)) {
    const all = await backend.devices(query(trait.token), 0, 1);
    if (all.matching < all.total * COMMON_PLACE) return sharedText(devices.length, command, trait);
  }
  return sharedText(devices.length, command, null);
}
