import { fireEvent, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';

import { expectAccessible, openFleet } from '../../test/window';
import { closeRolloutDialog, rolloutToPrepare } from '../rollouts/start.svelte';

describe('a selection', () => {
  const chosen = (container: HTMLElement) =>
    [...container.querySelectorAll('[aria-selected="true"]')].map((row) => (row as HTMLElement).dataset['device']);

  it('is made by clicks, with Ctrl and with Shift, and says what it is', async () => {
    const { app, container, user, findByText, getByRole, queryByRole } = await openFleet();
    const click = (device: string) => user.click(container.querySelector(`[data-device="${device}"]`) as Element);
    await click('cold-store-0001');
    await user.keyboard('{Control>}');
    await click('cold-store-0003');
    await user.keyboard('{/Control}');
    expect(chosen(container)).toEqual(['cold-store-0001', 'cold-store-0003']);
    await findByText('2 devices selected');
    await user.keyboard('{Shift>}');
    await click('cold-store-0004');
    await user.keyboard('{/Shift}');
    expect(chosen(container)).toEqual(['cold-store-0003', 'cold-store-0004']);
    const summary = within(getByRole('complementary', { name: 'Inspector: 2 devices' }));
    await summary.findByText('report_interval_s');
    await expectAccessible(container);
    await user.keyboard('{Escape}');
    expect(app.selection.size).toBe(0);
    expect(queryByRole('toolbar', { name: 'Selected devices' })).toBeNull();
  });

  it('is made with the keyboard, and survives sorting and searching', async () => {
    const { app, container, user, getByRole, findByText } = await openFleet();
    getByRole('grid').focus();
    await user.keyboard('{ArrowDown}{Shift>}{ArrowDown}{ArrowDown}{/Shift}');
    const ids = [...app.selection.ids];
    expect(ids).toHaveLength(3);
    await user.keyboard('{Control>}{ArrowDown}{/Control} ');
    expect(app.selection.size).toBe(4);
    app.fleet.sortBy('firmware');
    app.fleet.find({ tokens: ['tag:kitchen'], text: '' });
    await waitFor(() => expect(app.fleet.matching).toBeLessThan(60));
    expect([...app.selection.ids].slice(0, 3)).toEqual(ids);
    await user.click(await findByText(/^Select all \d+ that match$/));
    expect(app.selection.size).toBe(4 + app.fleet.matching);
    expect(chosen(container).length).toBeGreaterThan(0);
  });

  it('is extended by Shift and the space bar, and changed one by one with Ctrl', async () => {
    const { app, container, user, getByRole } = await openFleet();
    const { ids } = app.fleet.list;
    getByRole('grid').focus();
    await user.keyboard('{ArrowDown}{Control>}{ArrowDown}{ArrowDown} {/Control}');
    expect(chosen(container)).toEqual([ids[0], ids[2]]);
    await user.keyboard('{Control>} {/Control}');
    expect(app.inspected.device).toBe(ids[0]);
    expect(app.selection.size).toBe(0);
    await user.keyboard('{Control>} {/Control}{Control>}{ArrowDown}{ArrowDown}{ArrowDown}{/Control}{Shift>} {/Shift}');
    expect(chosen(container)).toEqual(ids.slice(2, 6));
    // A second range beside the first one.
    await user.keyboard('{Control>}{ArrowDown}{ArrowDown} {Shift>}{ArrowDown}{/Shift}{/Control}');
    expect([...app.selection.ids]).toEqual([...ids.slice(2, 6), ids[7], ids[8]]);
  });

  it('copies the IDs of its devices, one on each line', async () => {
    const { app, user, getByRole, findByRole, findByText } = await openFleet();
    app.fleet.find({ tokens: ['tag:kitchen'], text: '' });
    await waitFor(() => expect(app.fleet.matching).toBeLessThan(60));
    app.selection.all(app.connections.currentId ?? '');
    await findByText(`${app.fleet.matching} devices selected`);
    await user.click(getByRole('button', { name: 'More' }));
    await user.click(await findByRole('button', { name: 'Copy IDs' }));
    await findByText(`Copied ${app.fleet.matching} device IDs.`);
    expect(await navigator.clipboard.readText()).toBe(app.fleet.list.ids.join('\n'));
  });

  it('is drawn over rows with the pointer, also beside what is selected with Ctrl', async () => {
    const { app, container, findByText } = await openFleet();
    const { ids } = app.fleet.list;
    const row = (place: number) => container.querySelector(`[data-device="${ids[place]}"]`) as Element;
    const body = row(0).closest('.grid-body') as Element;
    const { rowHeight } = app.preferences;
    const at = (place: number, more: object = {}) => ({
      button: 0,
      buttons: 1,
      clientY: place * rowHeight + 4,
      ...more,
    });
    await fireEvent.pointerDown(row(1), at(1));
    await fireEvent.pointerMove(body, at(4));
    await findByText('4 devices selected');
    // Back again: the range is what lies between.
    await fireEvent.pointerMove(body, at(2));
    await fireEvent.pointerUp(body);
    await fireEvent.pointerMove(body, at(5, { buttons: 0 }));
    expect([...app.selection.ids]).toEqual([ids[1], ids[2]]);
    await fireEvent.pointerDown(row(4), at(4, { ctrlKey: true }));
    await fireEvent.pointerMove(body, at(5, { ctrlKey: true }));
    await fireEvent.pointerUp(body);
    expect([...app.selection.ids]).toEqual([ids[1], ids[2], ids[4], ids[5]]);
  });

  it('has everything with Ctrl-A, and opens the rollout dialog for it', async () => {
    const { app, user, getByRole, findByRole } = await openFleet();
    getByRole('grid').focus();
    await user.keyboard('{Control>}a{/Control}');
    expect(app.selection.size).toBe(60);
    const bar = within(await findByRole('toolbar', { name: 'Selected devices' }));
    await user.click(bar.getByRole('button', { name: 'Restart…' }));
    const asked = rolloutToPrepare.current;
    expect(asked?.command).toEqual({ name: 'restart', args: '{}' });
    expect(asked?.target.by === 'devices' && asked.target.devices).toHaveLength(60);
    closeRolloutDialog();
  });

  it('has no text of the page with Ctrl-A, on any screen, and all of a field in it', async () => {
    const { app, getByRole } = await openFleet();
    const selectAll = (target: Element) => fireEvent.keyDown(target, { key: 'a', ctrlKey: true });
    // What is not prevented selects text.
    for (const screen of ['fleet', 'rollouts', 'history', 'traffic', 'connections', 'settings'] as const) {
      app.route.go(screen);
      await waitFor(() => expect(getByRole('main')).toBeInTheDocument());
      expect(await selectAll(getByRole('main'))).toBe(false);
    }
    const field = document.body.appendChild(document.createElement('input'));
    expect(await selectAll(field)).toBe(true);
    field.remove();
  });

  it('is what the keys, the palette and the right mouse button act on, and no device alone', async () => {
    const { app, backend, container, user, getByRole, findByRole, findByText, queryByRole } = await openFleet();
    const sent = vi.spyOn(backend, 'send');
    const { ids } = app.fleet.list;
    getByRole('grid').focus();
    await user.keyboard('{ArrowDown}{Shift>}{ArrowDown}{/Shift}');
    expect(app.selection.size).toBe(2);
    await user.keyboard('l');
    await user.keyboard('r');
    expect(rolloutToPrepare.current?.command).toEqual({ name: 'restart', args: '{}' });
    expect(rolloutToPrepare.current?.target).toEqual({ by: 'devices', devices: ids.slice(0, 2) });
    expect(sent).not.toHaveBeenCalled();
    closeRolloutDialog();

    await fireEvent.contextMenu(container.querySelector(`[data-device="${ids[2]}"]`) as Element);
    const menu = within(await findByRole('menu', { name: 'Actions for the selected devices' }));
    await expectAccessible(container);
    expect(menu.queryByRole('menuitem', { name: new RegExp(`^Restart ${ids[0]}`) })).toBeNull();
    await user.click(menu.getByRole('menuitem', { name: 'Tag 2 devices…' }));
    await findByRole('dialog', { name: 'Tag' });
    await user.keyboard('pilot{Enter}');
    await findByText('Tagged 2 devices with pilot.');

    await waitFor(() => expect(queryByRole('dialog', { name: 'Tag' })).toBeNull());
    await user.keyboard('{Control>}k{/Control}');
    await user.keyboard('clear the selection');
    await user.click(await findByRole('option', { name: /Clear the selection/ }));
    expect(app.selection.size).toBe(0);
  });
});
