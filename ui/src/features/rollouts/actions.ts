/** The actions of rollouts in the palette and by keys. */

import type { Action } from '../../state/actions.svelte';
import { getControls } from '../../state/controls';
import type { Rollouts } from './allRollouts.svelte';
import { startRolloutDialog } from './start.svelte';
import { canCloseStage, canPutBack, canStartNextStage, isActive, isUnapproved, nameOf } from './format';
import { rolloutControls } from './controls';

export function rolloutActions(rollouts: Rollouts): () => Action[] {
  const { connections, route, sending } = rollouts;
  const controls = getControls();
  return () => {
    const { opened } = rollouts;
    const list: Action[] = [];
    const connection = connections.current?.id;
    if (connection !== undefined) {
      list.push({
        id: 'rollouts.start',
        sends: true,
        group: 'Rollouts',
        name: 'Start a rollout to every device…',
        words: 'fleet many all send command',
        run: () => startRolloutDialog({ connection, target: { by: 'search', search: '' } }),
      });
    }
    const listed = route.screen === 'rollouts' && opened === null;
    list.push({
      id: 'rollouts.search',
      group: 'Rollouts',
      name: 'Search rollouts',
      words: 'find filter list',
      ...(listed && { keys: '/' }),
      run: () => {
        route.go('rollouts');
        return controls.open(rolloutControls.search);
      },
    });
    const view = route.screen === 'rollouts' ? (opened?.view ?? null) : null;
    if (view !== null && opened !== null) {
      const can = sending.refusalOf(view.spec.connection) === null;
      const own = (id: string, name: string, run: () => unknown, keys?: string): Action => ({
        id: `rollout.${id}`,
        group: 'Rollouts',
        name,
        words: nameOf(view),
        ...(keys !== undefined && { keys }),
        run,
      });
      const started = !isUnapproved(view);
      if (started && (view.state === 'running' || view.state === 'waiting'))
        list.push(own('pause', 'Pause this rollout', () => opened.act('pause'), 'p'));
      if (can && (view.state === 'paused' || view.state === 'halted'))
        list.push(own('resume', 'Resume this rollout', () => opened.act('resume'), 'p'));
      if (isActive(view) || view.state === 'halted')
        list.push(own('stop', 'Stop this rollout…', () => controls.activate(rolloutControls.stop)));
      if (can && canCloseStage(view))
        list.push(own('close', 'Close the stage without waiting for offline devices', () => opened.act('close_stage')));
      if (can && canStartNextStage(view))
        list.push(own('next', 'Start the next stage', () => opened.act('start_next_stage'), 'n'));
      if (!started) {
        list.push(own('request', 'Save approval request…', () => controls.activate(rolloutControls.requestApproval)));
        list.push(own('import', 'Import approval…', () => controls.activate(rolloutControls.importApproval)));
      }
      list.push(own('export', 'Export this rollout…', () => controls.activate(rolloutControls.export), 'e'));
      if (can) {
        list.push(own('retry', 'Retry the failed devices of this rollout…', () => opened.follow('retry_failed')));
        list.push(own('again', 'Send this rollout again to all of its devices…', () => opened.follow('send_again')));
      }
      if (can && canPutBack(view))
        list.push(own('put_back', 'Restore the values that this rollout changed…', () => opened.follow('put_back')));
    }
    for (const rollout of rollouts.list.slice(0, 20))
      list.push({
        id: `rollouts.show.${rollout.id}`,
        group: 'Rollouts',
        name: `Show rollout ${rollout.number}: ${nameOf(rollout)}`,
        quiet: true,
        run: () => rollouts.show(rollout.id),
      });
    return list;
  };
}
