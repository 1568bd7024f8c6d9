import { fireEvent, waitFor, within } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { FakeOptions } from '../../../backend/fake';
import { expectAccessible, openFleet } from '../../../test/window';
import { layOut, positionOf } from './layout';

const ROOM = { width: 600, height: 400, ratio: 1 };

// jsdom lays nothing out.
beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(ROOM.width);
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(ROOM.height);
});
afterEach(() => vi.restoreAllMocks());

async function openWall(options: FakeOptions = {}) {
  const window = await openFleet(options);
  await window.user.keyboard('v');
  const wall = await window.findByRole('listbox', { name: 'Wall of devices' });
  const { fleet } = window.app;
  const layout = () =>
    layOut(fleet.list.groups.length > 0 ? fleet.list.groups : [{ from: 0, count: fleet.matching }], ROOM);
  /** The middle of a device's tile. */
  const at = (device: string) => {
    const { x, y } = positionOf(layout(), fleet.placeOf(device) ?? -1) ?? { x: -1, y: -1 };
    return { clientX: x + 2, clientY: y + 2, pointerId: 1, button: 0 };
  };
  const click = async (device: string, keys = {}) => {
    await fireEvent.pointerMove(wall, at(device));
    await fireEvent.pointerDown(wall, { ...at(device), buttons: 1, ...keys });
    await fireEvent.pointerUp(wall, at(device));
  };
  const current = () => document.getElementById(wall.getAttribute('aria-activedescendant') ?? '');
  return { ...window, wall, at, click, current, layout };
}

describe('the wall', () => {
  it('is shown instead of the list by its switch or a key, and stays so', async () => {
    const { app, user, getByRole, findByRole, queryByRole, container } = await openWall();
    expect(queryByRole('grid', { name: 'Devices' })).toBeNull();
    expect(getByRole('radio', { name: 'Wall' })).toBeChecked();
    expect(app.fleet.wall).toBe(true);
    await expectAccessible(container);
    await user.click(getByRole('radio', { name: 'List' }));
    await findByRole('grid', { name: 'Devices' });
    await user.click(getByRole('radio', { name: 'Wall' }));
    await findByRole('listbox', { name: 'Wall of devices' });
  });

  it('is walked with the keyboard: Space selects, Enter opens', async () => {
    const { app, wall, user, current, findByRole, getByRole, findByText } = await openWall();
    wall.focus();
    await waitFor(() => expect(current()).toHaveAccessibleName(/^bench-0001, online, /));
    await user.keyboard('{ArrowDown}');
    expect(current()).toHaveAttribute('data-device', 'cold-store-0001');
    expect(app.inspected.device).toBeNull();
    await user.keyboard(' {End} ');
    expect(current()).toHaveAttribute('data-device', 'roof-0005');
    await findByText('2 devices selected');
    expect(getByRole('option', { name: /^roof-0005/ })).toHaveAttribute('aria-selected', 'true');
    await user.keyboard('{Escape}{Home}{Enter}');
    await findByRole('complementary', { name: 'Inspector: bench-0001' });
    expect(app.selection.isMany).toBe(false);
  });

  it('is entered from the search by ↓, and all of it is selected by Ctrl+A', async () => {
    const { user, wall, findByText } = await openWall();
    await user.keyboard('/{ArrowDown}');
    expect(wall).toHaveFocus();
    await user.keyboard('{Control>}a{/Control}');
    await findByText('60 devices selected');
  });

  it('selects by click, with Ctrl and with Shift', async () => {
    const { app, click, findByRole, findByText, getByRole } = await openWall();
    await click('cold-store-0001');
    await findByRole('complementary', { name: 'Inspector: cold-store-0001' });
    await click('cold-store-0003', { ctrlKey: true });
    await findByText('2 devices selected');
    // It takes no room from the wall, where a tile would move under the pointer.
    expect(getByRole('toolbar', { name: 'Selected devices' })).toHaveClass('over');
    await click('cold-store-0001');
    await click('cold-store-0004', { shiftKey: true });
    expect([...app.selection.ids]).toEqual([
      'cold-store-0001',
      'cold-store-0002',
      'cold-store-0003',
      'cold-store-0004',
    ]);
  });

  it('selects what a frame is drawn over', async () => {
    const { app, wall, at, layout, container } = await openWall();
    const { ids } = app.fleet.list;
    const { deep } = layout().blocks[0] ?? { deep: 0 };
    const [first, last] = [ids[0] ?? '', ids[deep + 1] ?? ''];
    await fireEvent.pointerDown(wall, { ...at(first), buttons: 1 });
    await waitFor(async () => {
      await fireEvent.pointerMove(wall, { ...at(last), buttons: 1 });
      expect(container.querySelector('output')).toHaveTextContent('4 devices');
    });
    await fireEvent.pointerUp(wall, at(last));
    expect([...app.selection.ids]).toEqual([ids[0], ids[1], ids[deep], ids[deep + 1]]);
    expect(container.querySelector('output')).toBeNull();
  });

  it('is moved by the middle button, and nothing is selected by that', async () => {
    const { app, wall, at } = await openWall();
    const scroller = wall.closest('.wall') as HTMLElement;
    const moved: number[] = [];
    scroller.scrollBy = (...given: unknown[]) => void moved.push(Number(given[1]));
    const point = at(app.fleet.list.ids[0] ?? '');
    const { device } = app.inspected;
    await fireEvent.pointerDown(wall, { ...point, button: 1, buttons: 4 });
    await fireEvent.pointerMove(wall, { ...point, clientY: point.clientY - 30, buttons: 4 });
    await fireEvent.pointerMove(wall, { ...point, clientY: point.clientY - 10, buttons: 4 });
    await fireEvent.pointerUp(wall, { ...point, button: 1 });
    await fireEvent.pointerMove(wall, { ...point, clientY: point.clientY + 90 });
    expect(moved).toEqual([30, -20]);
    expect([...app.selection.ids]).toEqual([]);
    expect(app.inspected.device).toBe(device);
  });

  it('says beside a tile what its device is doing', async () => {
    const { app, wall, at, findByRole, queryByRole } = await openWall();
    const { ids } = app.fleet.list;
    const device = ids[ids.findIndex((_, place) => app.fleet.stateAt(place) === 'succeeded')] ?? '';
    await fireEvent.pointerMove(wall, at(device));
    const card = within(await findByRole('tooltip'));
    card.getByText(device);
    card.getByText('Succeeded');
    await card.findByText(/after/);
    await fireEvent.pointerLeave(wall);
    expect(queryByRole('tooltip')).toBeNull();
  });

  it('has a heading for each group, with what has failed in it', async () => {
    const { app, user, getByRole, container } = await openWall();
    await user.selectOptions(getByRole('combobox', { name: 'Group by' }), 'tag');
    await waitFor(() => expect(container.querySelectorAll('.heading').length).toBeGreaterThan(5));
    const heading = [...container.querySelectorAll('.heading')].find((one) => one.textContent.includes('kitchen'));
    expect(heading).toHaveTextContent(/^kitchen \d+/);
    const group = app.fleet.list.groups.findIndex(({ search }) => search === 'tag:kitchen');
    const { from = 0, count = 0 } = app.fleet.list.groups[group] ?? {};
    // Failed, so that the heading has to say one more, or one.
    const places = Array.from({ length: count }, (_, i) => from + i);
    const sound = places.find((place) => app.fleet.stateAt(place) === 'succeeded') ?? from;
    const before = Number(/(\d+) failed/.exec(heading?.textContent ?? '')?.[1] ?? 0);
    app.fleet.take({
      ...{ sequence: 1, now: 0, connections: [], commands: [], more_commands: false, devices: [], changed_devices: [] },
      ...{ rollouts: [], notices: [] },
      device_states: [
        { connection: 'demo', devices: [app.fleet.list.ids[sound] ?? ''], presence: [0], states: [8], more: false },
      ],
    });
    await waitFor(() => expect(heading).toHaveTextContent(`${before + 1} failed`));
  });

  it('is coloured by presence or by what the devices measure', async () => {
    const { app, user, wall, current, getByRole, findByRole, findByText } = await openWall();
    const choice = getByRole('combobox', { name: 'Colour by' });
    await user.selectOptions(choice, 'Presence');
    expect(app.fleet.tileColours).toBe('presence');
    await findByRole('option', { name: 'temperature' });
    await user.selectOptions(choice, 'temperature');
    await waitFor(() => expect(app.fleet.list.values).not.toBeNull());
    await findByText('temperature', { selector: '.words' });
    await findByText('Not measured');
    // A screen reader is told what the colour says.
    wall.focus();
    await waitFor(() =>
      expect(current()).toHaveAccessibleName(/^bench-0001, online, .*temperature (not measured|-?[\d.,]+)/),
    );
    await user.selectOptions(choice, 'Last command');
    await waitFor(() => expect(app.fleet.list.values).toBeNull());
  });

  it('explains every look that a tile has', async () => {
    const { app, getByRole } = await openWall();
    const legend = within(getByRole('group', { name: 'Legend' }));
    for (const name of ['Sent', 'At broker', 'Accepted', 'Succeeded', 'Failed', 'Timed out']) legend.getByText(name);
    const { counts } = app.fleet;
    if (counts === null) throw new Error('no counts');
    const states = { ...counts.states, held: 0, queued: 0, unconfirmed: 0, expired: 0, cancelled: 0, succeeded: 60 };
    app.fleet.counts = { ...counts, online: 50, offline: 10, unknown: 0, states };
    await waitFor(() => expect(legend.queryByText('No command')).toBeNull());
    expect(legend.queryByText(/Queued|Unconfirmed|Expired/)).toBeNull();
    app.fleet.counts = {
      ...app.fleet.counts,
      states: { ...states, succeeded: 1, held: 1, unconfirmed: 1, cancelled: 1 },
    };
    await legend.findByText('No command');
    for (const name of ['Queued', 'Unconfirmed', 'Expired or cancelled', 'No command, offline']) legend.getByText(name);
  });

  it('is zoomed by keys, by buttons and by the wheel with Ctrl', async () => {
    const { wall, user, getByRole, queryByRole } = await openWall();
    wall.focus();
    const out = getByRole('button', { name: 'Smaller tiles' });
    expect(out).toBeDisabled();
    await user.keyboard('+');
    expect(out).toBeEnabled();
    await user.keyboard('-');
    expect(out).toBeDisabled();
    await fireEvent.wheel(wall, { deltaY: -100, ctrlKey: true });
    expect(out).toBeEnabled();
    await user.click(getByRole('button', { name: 'Show all' }));
    expect(queryByRole('button', { name: 'Show all' })).toBeNull();
  });
});
