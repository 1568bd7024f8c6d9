import { waitFor, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';

import { expectAccessible, openFleet } from '../../test/window';

async function openDevice(device: string) {
  const window = await openFleet();
  await window.user.click(window.getByText(device, { selector: '.device' }));
  const inspector = within(await window.findByRole('complementary', { name: `Inspector: ${device}` }));
  await inspector.findByRole('region', { name: 'About' });
  return { ...window, inspector };
}

describe('annotations of a device', () => {
  it('is a name, tags and a note, each of which can be undone', async () => {
    const { inspector, container, user, backend, getByRole, findByText, app } = await openDevice('bench-0001');
    const about = within(inspector.getByRole('region', { name: 'About' }));
    await user.click(about.getByRole('button', { name: 'Add a name' }));
    await user.keyboard('Test bench{Enter}');
    await about.findByRole('button', { name: 'Edit name: Test bench' });
    await waitFor(() =>
      expect(container.querySelector('[data-device="bench-0001"] .given')).toHaveTextContent('Test bench'),
    );
    await user.click(about.getByRole('button', { name: 'Add a note' }));
    await user.keyboard('By the{Enter}door{Control>}{Enter}{/Control}');
    await about.findByRole('button', { name: /Edit note: By the\s+door/ });
    await user.click(about.getByRole('button', { name: 'Add a tag' }));
    await user.keyboard('spare{Enter}');
    const remove = await about.findByRole('button', { name: 'Remove the tag spare' });
    await expectAccessible(container);
    // Reported tags have no such button.
    expect(about.queryByRole('button', { name: 'Remove the tag bench' })).toBeNull();
    await waitFor(() =>
      expect(container.querySelector('[data-device="bench-0001"] .tag.added')).toHaveTextContent('spare'),
    );

    await user.click(remove);
    await waitFor(() => expect(about.queryByText('spare')).toBeNull());
    await findByText('Removed the tag spare from bench-0001.');
    getByRole('grid').focus();
    await user.keyboard('{Control>}z{/Control}');
    await about.findByText('spare');
    // The next one takes back what was done before that.
    await user.keyboard('{Control>}z{/Control}');
    await waitFor(() => expect(about.queryByText('spare')).toBeNull());
    await user.keyboard('{Control>}z{/Control}');
    await about.findByRole('button', { name: 'Add a note' });
    expect((await backend.device('demo', 'bench-0001')).row.name).toBe('Test bench');
    app.fleet.find({ tokens: [], text: 'test' });
    await waitFor(() => expect(app.fleet.list.ids).toEqual(['bench-0001']));
  });

  it('is refused with a sentence', async () => {
    const { inspector, user, findByText } = await openDevice('bench-0001');
    await user.click(inspector.getByRole('button', { name: 'Add a tag' }));
    await user.click(inspector.getByLabelText('New tag'));
    await user.paste('x'.repeat(10_000));
    await user.keyboard('{Enter}');
    await findByText('The tag has 10,000 characters; the maximum is 64.');
  });
});

describe('a selection', () => {
  it('is tagged, untagged and forgotten, and each is undone', async () => {
    const { app, user, getByRole, findByRole, findByText, queryByRole } = await openFleet();
    app.fleet.find({ tokens: ['tag:bench'], text: '' });
    await waitFor(() => expect(app.fleet.matching).toBeGreaterThan(0));
    app.fleet.find({ tokens: ['tag:lobby'], text: '' });
    await waitFor(() => expect(app.fleet.list.ids[0]).toBe('lobby-0001'));
    const { matching, total } = app.fleet;
    app.selection.all('demo');
    const bar = within(await findByRole('toolbar', { name: 'Selected devices' }));
    await user.click(bar.getByRole('button', { name: 'Tag…' }));
    await user.keyboard('pilot{Enter}');
    await findByText(`Tagged ${matching} devices with pilot.`);
    await user.click(bar.getByRole('button', { name: 'More' }));
    await user.click(await bar.findByRole('button', { name: 'Remove tag…' }));
    await user.click(bar.getByRole('button', { name: `pilot ${matching}` }));
    await findByText(`Removed the tag pilot from ${matching} devices.`);
    await user.click(bar.getByRole('button', { name: 'More' }));
    await user.click(bar.getByRole('button', { name: 'Forget…' }));
    await user.click(bar.getByRole('button', { name: `Forget ${matching} devices` }));
    await waitFor(() => expect(app.fleet.total).toBe(total - matching));
    expect(queryByRole('toolbar', { name: 'Selected devices' })).toBeNull();
    const toast = (await findByText(`Forgot ${matching} devices.`)).closest('li') as HTMLElement;
    await user.click(within(toast).getByRole('button', { name: 'Undo' }));
    await findByText(`Restored ${matching} devices.`);
    await waitFor(() => expect(app.fleet.total).toBe(total));
    expect(getByRole('grid')).toBeInTheDocument();
  });
});

describe('a device', () => {
  it('is added by hand, and that is undone', async () => {
    const { app, user, getByRole, findByRole } = await openFleet();
    const { total } = app.fleet;
    await user.click(getByRole('button', { name: 'More actions' }));
    await user.click(getByRole('button', { name: 'Add a device…' }));
    const form = within(getByRole('dialog', { name: 'Add a device' }));
    expect(form.getByRole('textbox', { name: 'Device ID' })).toHaveFocus();
    await user.keyboard('a/b{Enter}');
    await form.findByText(/'a\/b' is not a valid device ID/);
    await user.clear(form.getByRole('textbox', { name: 'Device ID' }));
    await user.type(form.getByRole('textbox', { name: 'Device ID' }), 'spare-1');
    await user.type(form.getByRole('textbox', { name: 'Tags' }), 'north, spare{Enter}');
    const inspector = within(await findByRole('complementary', { name: 'Inspector: spare-1' }));
    await inspector.findByText('north');
    await waitFor(() => expect(app.fleet.total).toBe(total + 1));
    await app.undo.last();
    await waitFor(() => expect(app.fleet.total).toBe(total));
  });
});

describe('a file of devices', () => {
  it('is previewed and imported, and shows which lines cannot be', async () => {
    const { app, user, getByRole, findByRole, container } = await openFleet();
    const { total } = app.fleet;
    await user.click(getByRole('button', { name: 'More actions' }));
    await user.click(getByRole('button', { name: 'Import devices…' }));
    const dialog = within(await findByRole('dialog', { name: 'Import devices' }));
    const path = dialog.getByRole('textbox', { name: 'Path of the file to read' });
    await user.type(path, '/home/you/devices.xlsx{Enter}');
    await dialog.findByText(/is a spreadsheet or an archive, not a CSV file/);
    const again = dialog.getByRole('textbox', { name: 'Path of the file to read' });
    expect(again).toHaveFocus();
    await user.clear(again);
    await user.type(again, '/home/you/devices.csv{Enter}');
    await dialog.findByText(/Not used: colour/, undefined, { timeout: 20_000 });
    dialog.getByText('Line 8');
    await expectAccessible(container);
    expect(app.fleet.total).toBe(total);
    await user.click(dialog.getByRole('button', { name: 'Import 119 devices' }));
    await dialog.findByText(/119 devices added, 0 changed, 0 unchanged; 1 line not imported/, undefined, {
      timeout: 20_000,
    });
    await waitFor(() => expect(app.fleet.total).toBe(total + 119));
  });
});

describe('an import of devices', () => {
  it('continues while another screen is shown, and can still be stopped afterwards', async () => {
    const { app, backend, user, getByRole, findByRole, queryByRole } = await openFleet();
    await user.click(getByRole('button', { name: 'More actions' }));
    await user.click(getByRole('button', { name: 'Import devices…' }));
    let dialog = within(await findByRole('dialog', { name: 'Import devices' }));
    backend.readDeviceFile = (_connection, _path, onView) =>
      new Promise((resolve) => {
        const view = { columns: [], new: 3, changed: 0, same: 0, refused: 0, errors: [], examples: [] };
        const part = { ...view, lines: 2, bytes: 20, total_bytes: 100, stopped: false };
        onView(part);
        backend.stopDeviceImport = async () => resolve({ ...part, stopped: true });
      });
    await user.type(dialog.getByRole('textbox', { name: 'Path of the file to read' }), '/home/you/devices.csv{Enter}');
    await dialog.findByText('2 lines read…');
    app.route.go('history');
    await waitFor(() => expect(queryByRole('dialog')).toBeNull());
    app.route.go('fleet');
    dialog = within(await findByRole('dialog', { name: 'Import devices' }));
    expect(dialog.getByRole('status')).toHaveTextContent('2 lines read…');
    await user.click(dialog.getByRole('button', { name: 'Cancel' }));
    await dialog.findByRole('button', { name: 'Preview' });
    // One that does nothing is closed with its screen.
    app.route.go('history');
    await waitFor(() => expect(queryByRole('dialog')).toBeNull());
    expect(app.imports.opened).toBeNull();
  });
});

describe('a view', () => {
  it('is saved with its columns, opened again, renamed and deleted, and that is undone', async () => {
    const { app, user, getByRole, findByRole, findByText, container } = await openFleet();
    app.fleet.searchFor('tag:lobby');
    await waitFor(() => expect(app.fleet.search.tokens).toEqual(['tag:lobby']));
    await user.click(getByRole('button', { name: 'Columns' }));
    const columns = within(await findByRole('dialog', { name: 'Columns' }));
    await user.click(columns.getByRole('checkbox', { name: 'Trip' }));
    await user.click(await columns.findByRole('checkbox', { name: /temp_high_c/ }));
    await user.click(await columns.findByRole('checkbox', { name: /temperature/ }));
    await user.click(columns.getByRole('button', { name: 'Move temp_high_c up' }));
    await user.keyboard('{Escape}');
    const heads = () =>
      [...container.querySelectorAll('[role="columnheader"]')].map((head) => head.textContent?.trim());
    expect(heads()).not.toContain('Trip');
    expect(heads().slice(-3)).toEqual(['temp_high_c', 'Tags', 'temperature']);
    await waitFor(() => expect(container.querySelector('.measured .sparkline')).toBeInTheDocument());

    await user.click(getByRole('button', { name: 'Views' }));
    await user.keyboard('Lobby{Enter}');
    await findByText('Saved the view “Lobby”.');
    const { matching } = app.fleet;
    const button = await findByRole('button', { name: `Lobby ${matching}` });
    await expectAccessible(container);
    app.fleet.searchFor('');
    app.fleet.showColumns(null);
    await findByRole('button', { name: `Lobby * ${matching}` });
    await user.click(button);
    const views = within(await findByRole('dialog', { name: 'Views' }));
    await user.click(views.getByRole('button', { name: `Lobby ${matching}` }));
    await waitFor(() => expect(app.fleet.search.tokens).toEqual(['tag:lobby']));
    expect(heads()).toContain('temp_high_c');
    const [saved] = app.views.list;
    if (saved) await app.views.rename(saved.view, 'Entrance');
    await user.click(await findByRole('button', { name: `Entrance ${matching}` }));
    await user.click(getByRole('button', { name: 'Delete Entrance' }));
    await waitFor(() => expect(app.views.list).toEqual([]));
    await app.undo.last();
    await waitFor(() => expect(app.views.list[0]?.view.name).toBe('Entrance'));
  });

  it('shows a column of measurements that is added last', async () => {
    const { user, getByRole, findByRole, container } = await openFleet();
    await user.click(getByRole('button', { name: 'Columns' }));
    const columns = within(await findByRole('dialog', { name: 'Columns' }));
    await user.click(await columns.findByRole('checkbox', { name: /temperature/ }));
    await waitFor(() => expect(container.querySelector('.measured .sparkline')).toBeInTheDocument());
  });
});
