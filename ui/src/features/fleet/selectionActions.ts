/** The actions for several selected devices. */

import { toJson } from '../../format/json';
import { counted } from '../../format/count';
import type { Action } from '../../state/actions.svelte';
import { getConnections } from '../../state/connections.svelte';
import { getControls, type Control } from '../../state/controls';
import { getFleet } from '../../state/fleet.svelte';
import { getNotices, type Notices } from '../../state/notices.svelte';
import { getRoute } from '../../state/route.svelte';
import { getSelection, type Selection } from '../../state/selection.svelte';
import { startRolloutDialog } from '../rollouts/start.svelte';
import { selectionControls } from './controls';

/** Opens the dialog for a rollout to the selected devices: of this command, or of one that is chosen there. */
export function sendToSelected(
  connection: string,
  selection: Selection,
  name?: string,
  args: Record<string, unknown> = {},
): void {
  startRolloutDialog({
    connection,
    target: { by: 'devices', devices: selection.inOrder() },
    ...(name !== undefined && { command: { name, args: toJson(args) } }),
  });
}

/** Copies the IDs of the selected devices, one on each line: for a ticket, or for `wilco rollout start --devices-from`. */
export async function copyIds(selection: Selection, notices: Notices): Promise<void> {
  const devices = selection.inOrder();
  try {
    await navigator.clipboard.writeText(devices.join('\n'));
    notices.say({ level: 'info', message: `Copied ${counted(devices.length, 'device ID')}.`, hint: null });
  } catch {
    const hint = 'Export the devices to a file instead.';
    notices.say({ level: 'warning', message: 'Could not write to the clipboard.', hint });
  }
}

export function selectionActions(): () => Action[] {
  const connections = getConnections();
  const controls = getControls();
  const fleet = getFleet();
  const notices = getNotices();
  const route = getRoute();
  const selection = getSelection();
  return () => {
    const connection = connections.current?.id;
    if (connection === undefined || route.screen !== 'fleet') return [];
    const all: Action = {
      id: 'fleet.select_all',
      group: 'Fleet',
      name: 'Select all devices of the list',
      words: 'everything that matches',
      run: () => selection.all(connection),
    };
    const some = fleet.matching > 0 ? [all] : [];
    if (!selection.isMany) return some;
    const number = counted(selection.size, 'device');
    const action = (id: string, name: string, run: () => unknown, keys?: string): Action => ({
      id: `selection.${id}`,
      group: 'Selected devices',
      name,
      words: 'selection many',
      ...(keys !== undefined && { keys }),
      run,
    });
    const sender = (id: string, name: string, keys?: string, command?: string, args?: Record<string, unknown>) => ({
      ...action(id, name, () => sendToSelected(connection, selection, command, args), keys),
      sends: true,
    });
    const opens = (id: string, name: string, control: Control) => action(id, name, () => controls.open(control));
    return [
      sender('command', `Send ${number} a command…`, 'c'),
      sender('led_on', `Switch the LED of ${number} on…`, undefined, 'led', { on: true }),
      sender('led_off', `Switch the LED of ${number} off…`, undefined, 'led', { on: false }),
      sender('restart', `Restart ${number}…`, 'r', 'restart'),
      sender('identify', `Identify ${number}…`, 'b', 'identify', { seconds: 10 }),
      sender('configure', `Configure ${number}…`, undefined, 'config.set', { changes: {}, apply: 'now' }),
      opens('tag', `Tag ${number}…`, selectionControls.tag),
      ...((selection.summary?.added_tags ?? []).length > 0
        ? [opens('untag', `Remove a tag from ${number}…`, selectionControls.untag)]
        : []),
      opens('forget', `Forget ${number}…`, selectionControls.forget),
      action('copy', `Copy the IDs of ${number}`, () => copyIds(selection, notices)),
      action('clear', 'Clear the selection', () => selection.clear()),
      ...some,
    ];
  };
}
