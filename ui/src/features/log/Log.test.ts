import { fireEvent, waitFor, within } from '@testing-library/svelte';
import { tick } from 'svelte';
import { expect, it, vi } from 'vitest';

import type { FakeOptions } from '../../backend/fake';
import type { Step } from '../../backend/fake/fate';
import { FOLLOW_EVERY } from './deviceLog.svelte';
import { expectAccessible, openFleet } from '../../test/window';
import { NOT_FETCHED } from '../../format/log';

const DONE: Step[] = [
  { after: 2, change: { state: 'sent' } },
  { after: 2, change: { state: 'at_broker' } },
  { after: 5, change: { state: 'accepted', match: 'exact' } },
  { after: 60, change: { state: 'succeeded' } },
];

/** The log of a device, before anything of it was fetched. */
async function openLog(device: string, options: FakeOptions = {}) {
  const window = await openFleet({ past: 0, fates: Array.from({ length: 9 }, () => DONE), ...options });
  window.app.route.go('log', { device });
  const page = within(await window.findByRole('region', { name: 'Log' }));
  return { ...window, page };
}

it('is empty at first and says how to begin', async () => {
  const { page, user, container } = await openLog('bench-0001');
  await page.findByText('No log has been fetched yet');
  await expectAccessible(container);
  await user.click(page.getByRole('button', { name: 'Fetch the log' }));
  await page.findByText(/checksum verified/);
  expect(page.getByRole('region', { name: 'Lines of the log, 1,000' })).toHaveTextContent(/INFO|DEBUG/);
  await expectAccessible(container);
});

it('is opened from the inspector below the list, and from there on a page of its own', async () => {
  const { user, findByText, findByRole, getByText, getByRole } = await openFleet();
  await user.click(getByText('bench-0001'));
  await user.click(await findByRole('button', { name: 'Log' }));
  await findByText('No log has been fetched yet');
  getByRole('grid', { name: 'Devices' });
  await user.click(getByRole('link', { name: 'Full page' }));
  await findByRole('heading', { name: 'Log of bench-0001' });
  expect(await findByRole('link', { name: 'Fleet', current: 'page' })).toBeVisible();
  await findByText('No log has been fetched yet');
});

it('says why its command could not be stopped', async () => {
  const sent: Step[] = [{ after: 2, change: { state: 'sent' } }];
  const { page, user, backend, findByText } = await openLog('bench-0001', { fates: [sent] });
  backend.cancel = () => Promise.reject({ code: 'invalid', message: 'The command has already ended.', hint: null });
  await user.click(await page.findByRole('button', { name: 'Fetch the log' }));
  await user.click(await page.findByRole('button', { name: 'Stop waiting' }));
  await findByText('The command has already ended.');
});

it('is searched, with the number of finds', async () => {
  const { page, user, container } = await openLog('bench-0001');
  await user.click(await page.findByRole('button', { name: 'Fetch the log' }));
  await page.findByText(/checksum verified/);
  const field = page.getByRole('textbox', { name: 'Search in the log' });
  await user.type(field, 'TELEMETRY');
  const found = await page.findByText(/^1 of \d+$/);
  expect(container.querySelector('.log-current mark, .log-line mark')).toHaveTextContent('telemetry');
  await user.keyboard('{Enter}');
  expect(found).toHaveTextContent(/^2 of/);
  await user.keyboard('{Shift>}{Enter}{Enter}{/Shift}');
  const [place, all] = (found.textContent ?? '').split(' of ');
  expect(place).toBe(all);
  await user.clear(field);
  await user.type(field, 'no such thing');
  await page.findByText('none');
});

it('names the chunks that did not come, and fetches again', async () => {
  const { page, user, backend, container } = await openLog('kitchen-0007');
  await user.selectOptions(await page.findByRole('combobox', { name: 'How much to fetch' }), 'All lines');
  await user.click(page.getByRole('button', { name: 'Fetch' }));
  await page.findByText('Chunks 3 and 7 of 20 were not received.');
  await expectAccessible(container);
  const { commands } = await backend.device('demo', 'kitchen-0007');
  expect(commands[0]).toMatchObject({ command: 'log.get', state: 'succeeded' });
  await user.click(page.getByRole('button', { name: 'Fetch again' }));
  await waitFor(async () => expect((await backend.device('demo', 'kitchen-0007')).command_count).toBe(2));
});

it('is saved, or refused in a sentence', async () => {
  const { page, user, findByText } = await openLog('bench-0001');
  await user.click(await page.findByRole('button', { name: 'Fetch the log' }));
  await page.findByText(/checksum verified/);
  await user.click(page.getByRole('button', { name: 'Save…' }));
  const dialog = within(await page.findByRole('dialog', { name: 'Save the log' }));
  await user.click(dialog.getByRole('button', { name: 'Save' }));
  dialog.getByText('Enter the path of the file to write.');
  const field = dialog.getByRole('textbox', { name: 'Path of the file to write' });
  await user.type(field, '/nowhere/a.log');
  await user.click(dialog.getByRole('button', { name: 'Save' }));
  await dialog.findByText('The folder of /nowhere/a.log does not exist.');
  await user.clear(field);
  await user.click(dialog.getByRole('button', { name: 'Choose where to save' }));
  await user.click(dialog.getByRole('button', { name: 'Save' }));
  await findByText('Log saved to /home/you/bench-0001.log.');

  // What the system's dialog has asked is not asked again; what is typed is.
  await user.click(page.getByRole('button', { name: 'Save…' }));
  const again = within(await page.findByRole('dialog', { name: 'Save the log' }));
  await user.click(again.getByRole('button', { name: 'Choose where to save' }));
  await user.click(again.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(page.queryByRole('dialog')).toBeNull());
  await user.click(page.getByRole('button', { name: 'Save…' }));
  const typed = within(await page.findByRole('dialog', { name: 'Save the log' }));
  const path = typed.getByRole('textbox', { name: 'Path of the file to write' });
  await user.type(path, '/home/you/bench-0001.log{Enter}');
  await typed.findByText('/home/you/bench-0001.log already exists. Replace it?');
  await user.type(path, '.old');
  expect(typed.queryByText(/Replace it/)).toBeNull();
});

it('continues while it is followed, and keeps earlier lines', async () => {
  const { page, user, app } = await openLog('bench-0001');
  await user.click(await page.findByRole('button', { name: 'Fetch the log' }));
  await page.findByText(/checksum verified/);
  const first = app.log.lines[0];
  const send = vi.spyOn(app.backend, 'send');
  await user.click(page.getByRole('button', { name: 'Follow' }));
  await page.findByText(/fetching again every 3 s/);
  await waitFor(() => expect(send).toHaveBeenCalledTimes(2), { timeout: FOLLOW_EVERY + 4_000 });
  await waitFor(() => expect(app.log.lines.length).toBeGreaterThan(1_000));
  expect(app.log.lines[0]).toEqual(first);
  await user.click(page.getByRole('button', { name: 'Following' }));
  expect(app.log.following).toBe(false);
}, 15_000);

it('stays at the end until the user scrolls away, and goes there when it is followed', async () => {
  const { page, user, app } = await openLog('bench-0001');
  await user.click(await page.findByRole('button', { name: 'Fetch the log' }));
  await page.findByText(/checksum verified/);
  const list = page.getByRole('region', { name: /Lines of the log/ });
  const size = { scrollHeight: 18_000, clientHeight: 400 };
  for (const name of ['scrollHeight', 'clientHeight'] as const)
    Object.defineProperty(list, name, { configurable: true, get: () => size[name] });
  const scrolledTo = async (top: number) => {
    list.scrollTop = top;
    await fireEvent.scroll(list);
  };
  await scrolledTo(17_600);
  // A banner came, and the event of an earlier scroll comes after it.
  size.clientHeight = 300;
  await scrolledTo(17_600);
  expect(list.scrollTop).toBe(18_000);
  await scrolledTo(17_700);
  await scrolledTo(9_000);
  app.log.lines = [...app.log.lines];
  await tick();
  expect(list.scrollTop).toBe(9_000);
  await user.click(page.getByRole('button', { name: 'Follow' }));
  expect(list.scrollTop).toBe(18_000);
});

it('says what is written of a log that is shown longer than it was fetched', async () => {
  const { page, user, app } = await openLog('bench-0001');
  await user.click(await page.findByRole('button', { name: 'Fetch the log' }));
  await page.findByText(/checksum verified/);
  app.log.lines = [{ text: 'earlier', gap: false }, { text: NOT_FETCHED, gap: true }, ...app.log.lines];
  await page.findByText('1 earlier part was not fetched. The gap is marked.');
  await user.click(page.getByRole('button', { name: 'Copy' }));
  expect(await navigator.clipboard.readText()).toMatch(/^earlier\n\[Gap: .*\]\n/);
  await user.click(page.getByRole('button', { name: 'Save…' }));
  await page.findByText(/contains the latest fetch: 1,000 lines of the 1,002 shown/);
});

it('draws only the lines that are seen of a hundred thousand', async () => {
  const { page, user, app, container } = await openLog('bench-0001');
  await user.click(await page.findByRole('button', { name: 'Fetch the log' }));
  await page.findByText(/checksum verified/);
  app.log.lines = Array.from({ length: 100_000 }, (_, i) => ({ text: `line ${i} \u202e`, gap: false }));
  await page.findByRole('region', { name: 'Lines of the log, 100,000' });
  expect(container.querySelectorAll('.log-line').length).toBeLessThan(100);
  expect(container.querySelector('.log-text')).toHaveTextContent('\\u202e');
});

it('is deleted here', async () => {
  const { page, user } = await openLog('bench-0001');
  await user.click(await page.findByRole('button', { name: 'Fetch the log' }));
  await page.findByText(/checksum verified/);
  await user.click(await page.findByRole('button', { name: 'Delete this log' }));
  await page.findByText('No log has been fetched yet');
});
