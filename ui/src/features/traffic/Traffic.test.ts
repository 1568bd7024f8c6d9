import { tick } from 'svelte';
import { expect, it, vi } from 'vitest';

import { expectAccessible, openFleet } from '../../test/window';

async function openTraffic(hash = '#/traffic') {
  const window = await openFleet();
  globalThis.window.location.hash = hash;
  await window.findByRole('grid', { name: 'Messages' });
  await vi.waitFor(() => expect(window.app.traffic.messages.length).toBeGreaterThan(10), 5_000);
  return window;
}

it('shows what is on the wire, newest first, until it is paused or cleared', async () => {
  const { app, getByRole, findByText, user, container } = await openTraffic();
  // Not begun again whenever the connection says something.
  await vi.waitFor(() => expect(app.traffic.messages.length).toBeGreaterThan(150), 8_000);
  const numbers = app.traffic.messages.map(({ number }) => number);
  expect(numbers).toEqual([...numbers].sort((a, b) => b - a));
  await user.click(getByRole('button', { name: 'Pause' }));
  const kept = app.traffic.messages;
  const missing = app.traffic.missing;
  await vi.waitFor(() => expect(app.traffic.missing).toBeGreaterThan(missing), 3_000);
  expect(app.traffic.messages).toBe(kept);
  const counted = await findByText(/^Paused: shown, .* not kept$/);
  expect(counted).toHaveAttribute('title', 'Messages that arrive while paused, or in too large a burst, are not kept.');
  await expectAccessible(container);
  await user.click(getByRole('button', { name: 'Clear' }));
  expect(app.traffic.messages).toEqual([]);
  await findByText(/^Paused\. Press Resume/);
  await user.click(getByRole('button', { name: 'Resume' }));
  await vi.waitFor(() => expect(app.traffic.messages.length).toBeGreaterThan(0), 3_000);
});

it('narrows to a device and a topic filter, and says which filter is none', async () => {
  const { app, getByRole, findByText, queryByText, user } = await openTraffic('#/traffic?device=bench-0001');
  expect(getByRole('textbox', { name: 'Device' })).toHaveValue('bench-0001');
  await vi.waitFor(() => expect(app.traffic.messages.length).toBeGreaterThan(0));
  expect(app.traffic.messages.every(({ wire }) => wire.topic.startsWith('bench-0001/'))).toBe(true);
  const filter = getByRole('textbox', { name: 'Topic filter' });
  await user.type(filter, 'a#');
  await findByText(/# must be the last level/);
  expect(filter).toBeInvalid();
  await user.clear(filter);
  await user.type(filter, '+/telemetry');
  await vi.waitFor(() => expect(queryByText(/must be the last level/)).toBeNull());
  await vi.waitFor(() => expect(app.traffic.messages.length).toBeGreaterThan(0), 5_000);
  expect(app.traffic.messages.every(({ wire }) => wire.topic === 'bench-0001/telemetry')).toBe(true);
});

it('shows one message whole, what it is beside what it was', async () => {
  const { app, getByRole, findByText, user, container } = await openTraffic();
  await user.click(getByRole('button', { name: 'Pause' }));
  await user.type(getByRole('textbox', { name: 'Search the messages shown' }), 'temperature');
  const list = getByRole('grid', { name: 'Messages' });
  list.focus();
  await user.keyboard('{ArrowDown}{ArrowDown}');
  expect(app.traffic.chosen).toBe(app.traffic.shown[1]);
  const detail = getByRole('complementary', { name: 'Message' });
  expect(detail).toHaveTextContent('Telemetry: temperature, humidity.');
  await user.click(getByRole('button', { name: 'Copy payload' }));
  await findByText('Copied');
  expect(await navigator.clipboard.readText()).toBe(app.traffic.chosen?.wire.payload);
  await expectAccessible(container);
});

it('chooses the message that was pressed, though others come in before the button is let go', async () => {
  const { app, getByRole, user } = await openTraffic();
  const pressed = await vi.waitFor(() => getByRole('grid', { name: 'Messages' }).querySelector('[aria-selected]'));
  if (!pressed) throw new Error('no message yet');
  await user.pointer({ keys: '[MouseLeft>]', target: pressed });
  expect(`message-${app.traffic.chosen?.number}`).toBe(pressed.id);
  await user.pointer({ keys: '[/MouseLeft]', target: getByRole('grid', { name: 'Messages' }) });
  expect(`message-${app.traffic.chosen?.number}`).toBe(pressed.id);
});

it('keeps no more than can be looked at, and says how many are not shown', async () => {
  const { app } = await openTraffic();
  const tell = vi.spyOn(app.backend, 'traffic');
  await app.traffic.watch('demo', '', '');
  const onBatch = tell.mock.calls[0]?.[1];
  const message = await vi.waitFor(() => {
    const first = app.traffic.messages[0];
    if (!first) throw new Error('no message yet');
    return first;
  });
  const stop = await tell.mock.results[0]?.value;
  stop();
  app.traffic.clear();
  app.traffic.chosen = message;
  const batch = Array.from({ length: 1_500 }, (_, i) => ({ ...message, number: 10_000 + i }));
  onBatch?.({ messages: batch, left_out: 7 });
  onBatch?.({ messages: batch.map((one) => ({ ...one, number: one.number + 1_500 })), left_out: 0 });
  expect(app.traffic.messages).toHaveLength(2_000);
  expect(app.traffic.missing).toBe(1_007);
  expect(app.traffic.messages[0]?.number).toBe(12_999);
  expect(app.traffic.chosen).toBe(message);
});

it('ends with its screen, and starts again with the next visit', async () => {
  const { app, getByRole, findByRole, findByText, user } = await openTraffic();
  await user.click(getByRole('link', { name: 'Settings' }));
  await findByRole('region', { name: 'Settings' });
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(app.traffic.messages).toEqual([]);
  app.route.go('traffic');
  await findByText(/^No messages yet/);
  await findByRole('button', { name: 'Pause' });
  await vi.waitFor(() => expect(app.traffic.messages.length).toBeGreaterThan(0), 3_000);
});

it('stays while it is paused, whatever is asked for meanwhile and wherever one goes, until it is resumed', async () => {
  const { app, getByRole, findByRole, findByText, queryByText, user } = await openTraffic();
  getByRole('grid', { name: 'Messages' }).focus();
  await user.keyboard('p');
  await findByText(/^Paused:/);
  const kept = app.traffic.messages;
  await user.type(getByRole('textbox', { name: 'Topic filter' }), '+/telemetry');
  await findByText(/take effect when you resume/);
  getByRole('grid', { name: 'Messages' }).focus();
  await user.keyboard('gf');
  await findByRole('grid', { name: 'Devices' });
  await user.keyboard('gt');
  await findByRole('grid', { name: 'Messages' });
  await findByText(/take effect when you resume/);
  expect(app.traffic.messages).toBe(kept);
  await user.click(await findByRole('button', { name: 'Resume' }));
  expect(queryByText(/take effect when you resume/)).toBeNull();
  await vi.waitFor(() => expect(app.traffic.messages.length).toBeGreaterThan(0), 5_000);
  expect(app.traffic.messages.every(({ wire }) => wire.topic.endsWith('/telemetry'))).toBe(true);
  // The same is asked for: it continues from where it stood.
  await user.click(getByRole('button', { name: 'Pause' }));
  const [first] = app.traffic.messages;
  await user.click(getByRole('button', { name: 'Resume' }));
  expect(app.traffic.messages).toContain(first);
});

it('never shows messages of another connection', async () => {
  const { app, backend, findByRole } = await openTraffic();
  const watched = vi.spyOn(backend, 'traffic');
  const bench = await backend.duplicateConnection('demo');
  await vi.waitFor(() => expect(app.connections.list).toContainEqual(expect.objectContaining({ id: bench.id })));
  app.connections.choose(bench.id);
  await tick();
  expect(app.traffic.messages).toEqual([]);
  expect(watched).toHaveBeenCalledTimes(1);
  backend.setLink(bench.id, { state: 'connecting' });
  expect(await findByRole('status', { name: 'Connection' })).toHaveTextContent('Connecting…');
});
