/** The mode of an invented connection, as the engine applies it. */

import type { Confirmation } from '../bindings/Confirmation';
import type { Confirmed } from '../bindings/Confirmed';
import type { ConnectionView } from '../bindings/ConnectionView';
import { failure } from './failure';

export function refusalOf(connection: ConnectionView | undefined): string | null {
  if (connection?.mode !== 'read_only') return null;
  return `The connection '${connection.name}' is read-only, so Wilco sends nothing to its devices.`;
}

/** `grave`: it is dangerous, or for more than one device. */
export function confirmationOf(connection: ConnectionView | undefined, grave: boolean): Confirmation {
  if (connection?.mode !== 'protected') return 'none';
  return grave ? 'type_name' : 'ask';
}

/** Refuses what the connection does not let through, or not like this. */
export function permit(connection: ConnectionView | undefined, grave: boolean, confirmed: Confirmed): void {
  const refusal = refusalOf(connection);
  if (refusal !== null)
    throw failure('read_only', refusal, 'To send commands, edit the connection and change its mode.');
  const needed = confirmationOf(connection, grave);
  const named = typeof confirmed === 'object' && confirmed.name === connection?.name;
  if (needed === 'none' || named || (needed === 'ask' && confirmed === 'yes')) return;
  throw failure('unconfirmed', `The connection '${connection?.name ?? ''}' is protected.`, 'Confirm the command.');
}
