import { waitFor, within } from '@testing-library/svelte';
import { expect, it, vi } from 'vitest';

import type { FakeOptions } from '../../backend/fake';
import { view } from '../../backend/fake/connections';
import type { Step } from '../../backend/fake/fate';
import { expectAccessible, openFleet, openWindow } from '../../test/window';

const DONE: Step[] = [
  { after: 2, change: { state: 'sent' } },
  { after: 2, change: { state: 'at_broker' } },
  { after: 5, change: { state: 'succeeded', match: 'exact' } },
];

async function openCharts(device: string, options: FakeOptions = {}) {
  const window = await openFleet({ past: 0, ...options });
  window.app.route.go('charts', { device });
  const page = within(await window.findByRole('region', { name: 'Charts' }));
  await page.findByRole('table');
  return { ...window, page };
}

it('shows each series as a chart and in a table', async () => {
  const { page, container } = await openCharts('bench-0001');
  for (const name of ['temperature', 'humidity', 'heap', 'rssi']) {
    page.getByRole('slider', { name: `${name} over time` });
    page.getByRole('row', { name: new RegExp(`^${name} `) });
  }
  // Values come every second: nobody is told of each.
  expect(container.querySelector('.chart [aria-live]')).toBeNull();
  expect(page.getAllByRole('columnheader').map((head) => head.textContent)).toEqual([
    'Series',
    'Latest',
    'Measured',
    'Smallest',
    'Mean',
    'Largest',
    'Measurements',
  ]);
  await expectAccessible(container);
});

it('shows another time, closer, and all of it again', async () => {
  const { page, user, app, backend } = await openCharts('bench-0001');
  const asked = vi.spyOn(backend, 'telemetry');
  await user.click(page.getByRole('radio', { name: '24 h' }));
  // The last values alone are asked for with a single point.
  const drawn = () => asked.mock.calls.map(([query]) => query).filter(({ points }) => points > 1);
  await waitFor(() => expect(drawn()).not.toEqual([]));
  const { from } = drawn().at(-1) ?? {};
  expect(Math.abs(Date.now() - 86_400_000 - (from ?? 0))).toBeLessThan(60_000);
  await waitFor(() => expect((app.charts.view?.to ?? 0) - (app.charts.view?.from ?? 0)).toBeGreaterThan(80_000_000));
  page.getByRole('slider', { name: 'heap over time' }).focus();
  await user.keyboard('+');
  await page.findByText('Zoomed in: new values are hidden');
  expect((app.charts.zoom?.to ?? 0) - (app.charts.zoom?.from ?? 0)).toBeLessThan(44_000_000);
  await user.keyboard('{Escape}');
  await page.findByText('Live');
  expect(page.queryByRole('button', { name: 'Reset zoom' })).toBeNull();
});

it('is read value by value with the keyboard', async () => {
  const { page, user } = await openCharts('bench-0001');
  const slider = page.getByRole('slider', { name: 'temperature over time' });
  expect(slider).toHaveAttribute('aria-valuetext', expect.stringMatching(/^now /));
  slider.focus();
  await user.keyboard('{Home}');
  expect(slider).toHaveAttribute('aria-valuenow', '0');
  expect(slider).toHaveAttribute('aria-valuetext', expect.stringMatching(/^\d\d:\d\d:\d\d: /));
  await user.keyboard('{ArrowRight}');
  expect(slider).toHaveAttribute('aria-valuenow', '1');
  // The others stand at the same time.
  expect(page.getByRole('slider', { name: 'heap over time' })).toHaveAttribute('aria-valuenow', '1');
});

it('says when the latest was measured of a device that has gone silent', async () => {
  const { page, backend, app } = await openCharts('bench-0001');
  const slider = page.getByRole('slider', { name: 'temperature over time' });
  expect(slider).toHaveAttribute('aria-valuetext', expect.stringMatching(/^now /));
  const silent = app.charts.view;
  if (!silent) throw new Error('nothing is shown');
  const [before, after] = [Date.now() - 3_600_000, Date.now()];
  const series = silent.series.map((one) => ({ ...one, latest: 22.31, latest_at: before }));
  backend.telemetry = async () => ({ ...silent, series });
  await waitFor(() => expect(slider).toHaveAttribute('aria-valuetext', '22.31, 1 h ago'));
  backend.telemetry = async () => ({ ...silent, from: before, to: after, times: [], series: [] });
  await page.findByRole('heading', { name: 'No measurements in this time range' });
  expect(app.charts.live).toBe(true);
});

it('shows when the last value of a silent series was measured, and never shows it as current', async () => {
  const { page, user } = await openCharts('bench-0001');
  const slider = page.getByRole('slider', { name: 'temperature over time' });
  await user.click(page.getByRole('button', { name: 'Pause' }));
  expect(slider).toHaveAttribute('aria-valuetext', expect.stringMatching(/^[\d.]+ at \d\d:\d\d:\d\d$/));
  await user.click(page.getByRole('button', { name: 'Resume' }));
  expect(slider).toHaveAttribute('aria-valuetext', expect.stringMatching(/^now /));
  await user.click(page.getByRole('radio', { name: 'All' }));
  await waitFor(() => expect(page.getByRole('slider', { name: 'heap over time' })).toBeVisible());
  expect(slider).toHaveAttribute('aria-valuetext', expect.stringMatching(/^now /));
});

it('zooms about the line, and is moved by Shift and the arrows', async () => {
  const { page, user, app } = await openCharts('bench-0001');
  const slider = page.getByRole('slider', { name: 'temperature over time' });
  slider.focus();
  await user.keyboard('{Home}');
  const from = app.charts.view?.times[0] ?? 0;
  await user.keyboard('+');
  const zoom = app.charts.zoom;
  expect(from).toBeGreaterThanOrEqual(zoom?.from ?? 0);
  expect(from - (zoom?.from ?? 0)).toBeLessThan(5_000);
  const place = slider.getAttribute('aria-valuenow');
  await user.keyboard('{Shift>}{ArrowLeft}{/Shift}');
  expect(app.charts.zoom?.to).toBeLessThan(zoom?.to ?? 0);
  expect(slider).toHaveAttribute('aria-valuenow', place);
  await user.keyboard('{Shift>}{ArrowRight}{/Shift}');
  expect(app.charts.zoom?.to).toBe(zoom?.to);
});

it('says so in the inspector too', async () => {
  const { user, getByText, findByRole, backend } = await openFleet({ past: 0 });
  await user.click(getByText('bench-0001'));
  const section = within(await findByRole('region', { name: 'Telemetry' }));
  await section.findByText('temperature');
  expect(section.queryByText(/ ago$/)).toBeNull();
  const { telemetry } = backend;
  backend.telemetry = async (query) => {
    const view = await telemetry.call(backend, query);
    return { ...view, series: view.series.map((one) => ({ ...one, latest_at: Date.now() - 61_000 })) };
  };
  await section.findByText('1 min ago');
  backend.telemetry = async (query) => ({ ...(await telemetry.call(backend, query)), series: [] });
  await section.findByText('No measurements in the last 5 minutes.');
});

it('reserves space for the series while another device is loaded', async () => {
  const { user, getByText, queryByText, findByText, findByRole, backend, container } = await openFleet({ past: 0 });
  await user.click(getByText('bench-0001'));
  await findByText('temperature');
  const rows = () => container.querySelectorAll('.series').length;
  expect(rows()).toBe(4);
  let answer = () => {};
  const { telemetry } = backend;
  backend.telemetry = async (query) => {
    await new Promise<void>((resolve) => (answer = resolve));
    const view = await telemetry.call(backend, query);
    return { ...view, series: view.series.slice(0, 1) };
  };
  await user.click(getByText('cold-store-0001'));
  await findByRole('heading', { name: 'cold-store-0001' });
  await findByRole('region', { name: 'Telemetry' });
  expect(queryByText('temperature')).toBeNull();
  expect(rows()).toBe(4);
  answer();
  await waitFor(() => expect(rows()).toBe(1));
});

it('says on which topic of the connection it would be measured', async () => {
  const plant = view({ id: 'plant', name: 'Plant', url: 'mqtt://plant:1883' });
  const { app, backend, findByText } = openWindow({ connections: [{ ...plant, prefix: 'cmd/plant' }] });
  const { telemetry } = backend;
  backend.telemetry = async (query) => ({ ...(await telemetry.call(backend, query)), series: [] });
  app.route.go('charts', { device: 'bench-1' });
  await findByText('cmd/plant/bench-1/telemetry');
});

it('pauses, resumes, and hides series', async () => {
  const { page, user, app } = await openCharts('bench-0001');
  await user.click(page.getByRole('button', { name: 'Pause' }));
  expect(app.charts.live).toBe(false);
  await user.click(page.getByRole('button', { name: 'Resume' }));
  expect(app.charts.live).toBe(true);
  await user.click(page.getByRole('button', { name: 'humidity' }));
  expect(page.queryByRole('slider', { name: 'humidity over time' })).toBeNull();
  page.getByRole('row', { name: /^humidity / });
});

it('shows remarks about irregular telemetry', async () => {
  const { page } = await openCharts('bench-0003', { devices: 400 });
  page.getByText(/The device's clock is 56 years behind/);
});

it('is small in the inspector, with an adjustable interval', async () => {
  const { user, getByText, findByRole, backend, container } = await openFleet({ past: 0, fates: [DONE] });
  await user.click(getByText('bench-0001'));
  const section = within(await findByRole('region', { name: 'Telemetry' }));
  await section.findByText('temperature');
  const select = section.getByRole('combobox', { name: 'every' });
  expect(select).toHaveValue('5000');
  expect(section.queryByRole('button', { name: 'Set' })).toBeNull();
  await user.selectOptions(select, '30 s');
  await user.click(section.getByRole('button', { name: 'Set' }));
  await findByRole('group', { name: 'telemetry.set: Succeeded' });
  const { commands, telemetry_interval_ms: now } = await backend.device('demo', 'bench-0001');
  expect(commands[0]?.args).toBe('{"interval_ms":30000}');
  expect(now).toBe(30_000);
  await expectAccessible(container);
  await user.click(section.getByRole('button', { name: 'Charts' }));
  const panel = within(await findByRole('tabpanel', { name: 'Charts' }));
  await panel.findByRole('slider', { name: 'temperature over time' });
});
