import { fireEvent, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';

import { expectAccessible, openFleet } from '../../test/window';

describe('the fleet', () => {
  it('is a grid with names and counts', async () => {
    const { getByRole, container } = await openFleet();
    expect(getByRole('grid')).toHaveAttribute('aria-rowcount', '61');
    expect(container.querySelector('[data-device="bench-0001"]')).toBeInTheDocument();
    await expectAccessible(container);
  });

  it('says how many new IDs are not listed', async () => {
    const { app, container, findByText, queryByText } = await openFleet();
    expect(queryByText(/not listed/)).not.toBeInTheDocument();
    app.connections.list = app.connections.list.map((connection) => ({ ...connection, unlisted: 78_912 }));
    expect(await findByText(/78,912 new IDs not listed/)).toHaveAttribute(
      'title',
      expect.stringContaining('10 seconds'),
    );
    await expectAccessible(container);
  });

  it('is searched by words and tokens', async () => {
    const { getByRole, findByText, findByRole, user, container } = await openFleet();
    await user.keyboard('/');
    const field = getByRole('combobox', { name: 'Search devices' });
    expect(field).toHaveFocus();
    await user.keyboard('tag:kitchen 0003');
    await waitFor(() => expect(container.querySelectorAll('[data-device]')).toHaveLength(1));
    expect(container.querySelector('[data-device]')).toHaveAttribute('data-device', 'kitchen-0003');
    await user.keyboard('x');
    await findByText('No device matches');
    await user.click(await findByRole('button', { name: 'Show all devices' }));
    await findByText('bench-0001');
  });

  it('completes what is typed, by the keyboard', async () => {
    const { getByRole, findByRole, app, user, container } = await openFleet();
    await user.keyboard('/ta');
    const field = getByRole('combobox', { name: 'Search devices' });
    await waitFor(() => expect(field).toHaveAttribute('aria-expanded', 'true'));
    await user.keyboard('{Tab}');
    await waitFor(() => expect(field).toHaveValue('tag:'));
    await findByRole('option', { name: /tag:kitchen/ });
    // From the first one up is the last one.
    await user.keyboard('{ArrowDown}{ArrowUp}');
    const completions = within(getByRole('listbox', { name: 'Completions' }));
    const last = completions.getAllByRole('option').at(-1);
    expect(field).toHaveAttribute('aria-activedescendant', last?.id);
    await expectAccessible(container);
    await user.keyboard('kitch{ArrowDown}{Enter}');
    await waitFor(() => expect(app.fleet.search).toEqual({ tokens: ['tag:kitchen'], text: '' }));
    expect(field).toHaveFocus();
    await user.keyboard('fir');
    await findByRole('option', { name: /firmware:/ });
    await user.keyboard('{Escape}');
    expect(completions.queryByRole('option')).toBeNull();
    expect(field).toHaveValue('fir');
    await user.keyboard('{Escape}');
    expect(app.fleet.search).toEqual({ tokens: [], text: '' });
  });

  it('underlines what cannot be understood, and keeps the list meanwhile', async () => {
    const { getByRole, findByRole, user, container, app } = await openFleet();
    await user.keyboard('/kitchen is:sideways');
    const { matching } = app.fleet;
    await user.keyboard('{Enter}');
    await findByRole('alert');
    expect(container.querySelector('mark')).toHaveTextContent('is:sideways');
    expect(getByRole('combobox', { name: 'Search devices' })).toHaveAttribute('aria-invalid', 'true');
    expect(app.fleet.failure).toBeNull();
    expect(app.fleet.matching).toBe(matching);
  });

  it('is gone to from its search, by ↓', async () => {
    const { getByRole, user, container, findByRole } = await openFleet();
    await user.keyboard('/kitchen{ArrowDown}');
    expect(getByRole('grid')).toHaveFocus();
    await waitFor(() => expect(container.querySelector('[data-device="bench-0001"]')).toBeNull());
    await user.keyboard('{ArrowDown}');
    await findByRole('complementary', { name: 'Inspector: kitchen-0001' });
  });

  it('draws name and presence of a row in the moment in which the list scrolls there, before anything of it is loaded', async () => {
    const { app, backend, container, getByRole } = await openFleet({ devices: 2_000 });
    backend.deviceRows = () => new Promise(() => undefined);
    const grid = getByRole('grid');
    const first = () => Number(container.querySelector<HTMLElement>('[data-line]')?.dataset['line']);
    // Forwards and back, a little and far.
    for (const line of [40, 1_500, 300, 1_990]) {
      grid.scrollTop = line * app.preferences.rowHeight;
      await fireEvent.scroll(grid);
      expect(Math.abs(first() - line)).toBeLessThan(30);
      const rows = [...container.querySelectorAll<HTMLElement>('[data-line]')];
      expect(rows.length).toBeGreaterThan(5);
      for (const row of rows) {
        expect(row.querySelector('.device')?.textContent.trim()).not.toBe('');
        expect(row.querySelector('.presence')).toHaveTextContent(/^(Online|Offline|Unknown)$/);
      }
    }
  });

  it('is sorted by its heads', async () => {
    const { getByRole, findByText, user } = await openFleet();
    await user.click(getByRole('button', { name: 'Device' }));
    expect(getByRole('columnheader', { name: 'Device' })).toHaveAttribute('aria-sort', 'descending');
    await findByText('roof-0005');
  });

  it('is sorted with the keyboard: its heads lie above the first row', async () => {
    const { getByRole, findByText, user, app, container } = await openFleet();
    const grid = getByRole('grid');
    grid.focus();
    await user.keyboard('{ArrowDown}{ArrowUp}');
    expect(getByRole('button', { name: 'Device' })).toHaveFocus();
    await user.keyboard('{ArrowLeft}{ArrowRight}');
    expect(getByRole('button', { name: 'Presence' })).toHaveFocus();
    await user.keyboard('{End}{ArrowRight}');
    expect(getByRole('button', { name: 'Trip' })).toHaveFocus();
    await user.keyboard('{Home}{Enter}');
    expect(getByRole('columnheader', { name: 'Device' })).toHaveAttribute('aria-sort', 'descending');
    await findByText('roof-0005');
    await expectAccessible(container);
    const { device } = app.inspected;
    await user.keyboard('{ArrowDown}');
    expect(grid).toHaveFocus();
    expect(app.inspected.device).toBe(device);
  });

  it('is sorted by names, durations and tags, and devices without one come last', async () => {
    const { app, getByRole, findByRole, user, backend } = await openFleet();
    const demo = app.connections.currentId ?? '';
    await backend.nameDevice(demo, 'roof-0002', 'attic');
    await backend.nameDevice(demo, 'dock-0003', 'Boiler');
    app.fleet.showColumns([{ column: 'name' }, { column: 'took' }, { column: 'tags' }, { column: 'desired' }]);
    await user.click(await findByRole('button', { name: 'Name' }));
    expect(getByRole('columnheader', { name: 'Name' })).toHaveAttribute('aria-sort', 'ascending');
    await waitFor(() => expect(app.fleet.list.ids.slice(0, 2)).toEqual(['roof-0002', 'dock-0003']));
    await user.keyboard('{Enter}');
    await waitFor(() => expect(app.fleet.list.ids.slice(0, 2)).toEqual(['dock-0003', 'roof-0002']));
    for (const name of ['Took', 'Tags', 'Configuration']) {
      await user.keyboard('{ArrowRight}{Enter}');
      expect(getByRole('columnheader', { name })).toHaveAttribute('aria-sort', 'ascending');
    }
  });

  it('is sorted by a value of the configuration and by a measurement, and what has none comes last', async () => {
    const { app, getByRole, findByRole, user, backend } = await openFleet();
    app.fleet.showColumns([
      { column: 'config', key: 'report_interval_s' },
      { column: 'telemetry', series: 'temperature' },
    ]);
    const sorted = vi.spyOn(backend, 'deviceColumns');
    await user.click(await findByRole('button', { name: 'report_interval_s' }));
    expect(getByRole('columnheader', { name: 'report_interval_s' })).toHaveAttribute('aria-sort', 'ascending');
    await waitFor(() => expect(sorted.mock.lastCall?.[0].sort).toEqual({ config: 'report_interval_s' }));
    await user.keyboard('{Enter}');
    expect(getByRole('columnheader', { name: 'report_interval_s' })).toHaveAttribute('aria-sort', 'descending');
    await user.keyboard('{ArrowRight}{Enter}');
    expect(getByRole('columnheader', { name: 'temperature' })).toHaveAttribute('aria-sort', 'ascending');
    expect(getByRole('columnheader', { name: 'report_interval_s' })).not.toHaveAttribute('aria-sort');
    await waitFor(() => expect(app.fleet.reloading).toBe(false));
    // The invented devices without an LED measure nothing.
    const last = app.fleet.list.ids.at(-1) ?? '';
    const [row] = await backend.deviceRows('demo', [last]);
    expect(row?.led).toBeNull();
    getByRole('grid').focus();
    await user.keyboard('{ArrowUp}');
    expect(getByRole('button', { name: 'temperature' })).toHaveFocus();
  });

  it('is walked with the keyboard', async () => {
    const { getByRole, findByRole, user } = await openFleet();
    getByRole('grid').focus();
    await user.keyboard('{ArrowDown}{ArrowDown}');
    expect(getByRole('row', { selected: true })).toHaveAttribute('data-device', 'cold-store-0001');
    await user.keyboard('{Home}');
    const led = await findByRole('switch', { name: 'LED' });
    await user.keyboard('{Enter}');
    expect(led).toHaveFocus();
  });
});

describe('health', () => {
  it('is counted, and a click on a count filters', async () => {
    const { app, user, getByRole, container } = await openFleet();
    const chip = within(getByRole('group', { name: 'Presence' })).getByRole('button', { name: /^Online/ });
    await user.click(chip);
    expect(app.fleet.search.tokens).toEqual(['is:online']);
    expect(chip).toHaveAttribute('aria-pressed', 'true');
    await expectAccessible(container);
    await user.click(chip);
    expect(app.fleet.search.tokens).toEqual([]);
  });

  it('shows one kind of each at a time, because no device is of two', async () => {
    const { app, user, getByRole } = await openFleet();
    const chip = (group: string, name: RegExp) =>
      within(getByRole('group', { name: group })).getByRole('button', { name });
    await user.click(chip('Presence', /^Online/));
    await user.click(chip('Presence', /^Offline/));
    expect(app.fleet.search.tokens).toEqual(['is:offline']);
    expect(chip('Presence', /^Online/)).toHaveAttribute('aria-pressed', 'false');
    const first = within(getByRole('group', { name: 'Firmware' })).getAllByRole('button')[0] as HTMLElement;
    await user.click(first);
    expect(app.fleet.search.tokens).toHaveLength(2);
  });
});

describe('groups', () => {
  it('have heads with their counts, and fold', async () => {
    const { app, user, getByRole, findByRole, container } = await openFleet();
    await user.selectOptions(getByRole('combobox', { name: 'Group by' }), 'tag');
    const head = await findByRole('button', { name: 'Hide bench' });
    const { count } = app.fleet.list.groups[0] ?? { count: 0 };
    expect(head).toHaveTextContent(`bench ${count}`);
    await expectAccessible(container);
    const before = app.fleet.lines.count;
    await user.click(head);
    await findByRole('button', { name: 'Show bench' });
    expect(app.fleet.lines.count).toBe(before - count);
  });

  it('are reached from their devices and selected as a whole by the keyboard', async () => {
    const { app, user, getByRole, findByRole, container } = await openFleet({ devices: 400 });
    app.fleet.groupBy('tag');
    await findByRole('button', { name: 'Hide bench' });
    const { count } = app.fleet.list.groups[0] ?? { count: 0 };
    getByRole('treegrid').focus();
    await user.keyboard('{ArrowDown}{ArrowDown}');
    expect(app.fleet.active).toBe(2);
    await user.keyboard('{ArrowLeft}');
    expect(app.fleet.active).toBe(0);
    await user.keyboard(' ');
    expect([app.selection.size, app.fleet.folded.size]).toEqual([count, 0]);
    await expectAccessible(container);
    await user.keyboard('{ArrowLeft}');
    expect([app.selection.size, app.fleet.folded.size]).toEqual([count, 1]);
    await user.click(getByRole('button', { name: 'Select the devices of bench' }));
    expect(app.selection.size).toBe(0);
  });

  it('say how many more devices have their tag', async () => {
    const { app, backend, findByRole } = await openFleet();
    const tagged = app.fleet.list.ids.filter((device) => device.startsWith('kitchen'));
    await backend.tagDevices('demo', tagged, 'bench');
    app.fleet.groupBy('tag');
    const head = await findByRole('button', { name: 'Hide bench' });
    const { count } = app.fleet.list.groups[0] ?? { count: 0 };
    expect(tagged.length).toBeGreaterThan(0);
    expect(head).toHaveTextContent(`bench ${count} of ${count + tagged.length} with this tag`);
  });
});

describe('a list on its way', () => {
  it('gives the keyboard its own last row, and none of the list before', async () => {
    const { getByRole, app, user, backend } = await openFleet({ devices: 400 });
    const ids = (
      await backend.devices({ connection: 'demo', search: '', sort: 'device', order: 'ascending', group: null }, 0, 400)
    ).rows.map(({ device }) => device);
    const { deviceColumns } = backend;
    let answer = () => {};
    const held = new Promise<void>((resolve) => (answer = resolve));
    app.fleet.find({ tokens: [], text: 'kitchen' });
    await waitFor(() => expect(app.fleet.matching).toBeLessThan(400));
    backend.deviceColumns = async (...asked) => {
      await held;
      return deviceColumns.apply(backend, asked);
    };
    app.fleet.find({ tokens: [], text: '' });
    getByRole('grid').focus();
    await user.keyboard('{End}');
    await user.keyboard('{Enter}');
    expect(app.inspected.device).toBeNull();
    answer();
    await waitFor(() => expect(app.inspected.device).toBe(ids.at(-1)));
  });
});

describe('an id', () => {
  it('is cut in its middle where there is too little room, and named whole', async () => {
    const id = 'plant-05-unit-with-a-name-that-is-longer-than-any-06445';
    const { app, container, findByRole } = await openFleet();
    const { list, rows } = app.fleet;
    const first = rows.get(list.ids[0] ?? '');
    if (first) app.fleet.loadedRows.all = new Map([...rows, [id, { ...first, device: id }]]);
    app.fleet.list = { ...list, ids: [id, ...list.ids.slice(1)] };
    const cell = await findByRole('gridcell', { name: id });
    expect(cell).toHaveTextContent(/^plant-05-unit-.*….*-any-06445$/);
    expect(cell).toHaveAttribute('title', id);
    await expectAccessible(container);
  });
});
