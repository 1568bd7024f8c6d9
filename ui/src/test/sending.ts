import type { Backend } from '../backend/backend';
import { Connections } from '../state/connections.svelte';
import { Preferences } from '../state/preferences.svelte';
import { Sending } from '../state/sending.svelte';

/** Sends over a test's own backend. */
export function sendingOver(backend: Backend): Sending {
  return new Sending(backend, new Connections(backend, new Preferences(backend)));
}
