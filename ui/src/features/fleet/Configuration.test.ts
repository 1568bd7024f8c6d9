import { waitFor, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';

import type { Step } from '../../backend/fake/fate';
import { openDevice, STEPS } from '../../test/device';
import { expectAccessible } from '../../test/window';

describe('the configuration', () => {
  const fates: Step[][] = [[...STEPS.slice(0, 3), { after: 5, change: { state: 'succeeded' }, effect: 'config' }]];

  it('says when it was reported, or that it was not yet', async () => {
    const { app, backend, inspector } = await openDevice('bench-0001');
    const device = backend.device.bind(backend);
    const shown = (change: object) => {
      vi.spyOn(backend, 'device').mockImplementation(async (...of) => ({ ...(await device(...of)), ...change }));
      app.inspected.refresh();
    };
    const section = within(inspector.getByRole('region', { name: 'Configuration' }));
    shown({ reported_at: Date.now() - 120_000 });
    await section.findByText(/^reported /);
    // Only the broker's copy is known.
    shown({ reported_at: null });
    await waitFor(() => expect(section.queryByText(/^reported /)).toBeNull());
    expect(section.queryByText(/has not reported its configuration yet/)).toBeNull();
    // It has reported something else.
    shown({ reported_at: Date.now() - 120_000, running_config: null, saved_config: null });
    await section.findByText('The device has not reported its configuration yet.');
    expect(section.queryByText(/^reported /)).toBeNull();
  });

  it('is changed now', async () => {
    const { inspector, user } = await openDevice('bench-0001', { fates: [...fates] });
    await user.click(inspector.getByRole('button', { name: /^Edit report_interval_s/ }));
    const field = inspector.getByRole('textbox', { name: 'report_interval_s after restart' });
    await user.clear(field);
    await user.type(field, '45{Enter}');
    inspector.getByText('1 change');
    await user.click(inspector.getByRole('button', { name: 'Apply now' }));
    await inspector.findByRole('group', { name: 'config.set: Succeeded' });
    await waitFor(() => expect(inspector.getAllByRole('cell', { name: '45' })).toHaveLength(2));
  });

  it('is changed for the next restart, and shown as different', async () => {
    const { inspector, user, container } = await openDevice('bench-0001', { fates: [...fates] });
    await user.click(inspector.getByRole('button', { name: /^Edit buzzer/ }));
    const field = inspector.getByRole('textbox', { name: 'buzzer after restart' });
    const turned = (field as HTMLInputElement).value === 'true' ? 'false' : 'true';
    await user.clear(field);
    await user.type(field, `${turned}{Enter}`);
    await user.click(inspector.getByRole('button', { name: 'On next restart' }));
    await waitFor(() => expect(container.querySelector('[data-key="buzzer"] .differs')).toHaveTextContent(turned));
  });

  it('gives the keyboard back to the value when its edit ends', async () => {
    const { inspector, user, backend } = await openDevice('bench-0001');
    const sent = vi.spyOn(backend, 'send');
    inspector.getByRole('button', { name: /^Edit report_interval_s/ }).focus();
    await user.keyboard('{Enter}45{Enter}');
    expect(inspector.getByRole('button', { name: 'Edit report_interval_s: 45, changed' })).toHaveFocus();
    await user.keyboard('{Enter}46{Escape}');
    expect(inspector.getByRole('button', { name: /^Edit report_interval_s: \d+$/ })).toHaveFocus();
    expect(sent).not.toHaveBeenCalled();
  });

  it('says of each value what is wrong with it', async () => {
    const { inspector, user, container } = await openDevice('bench-0001');
    for (const key of ['report_interval_s', 'buzzer']) {
      await user.click(inspector.getByRole('button', { name: new RegExp(`^Edit ${key}`) }));
      await user.keyboard('often');
    }
    const field = inspector.getByRole('textbox', { name: 'buzzer after restart' });
    expect(field).toHaveAccessibleDescription(/Enter true or false, not “often”/);
    expect(inspector.getAllByRole('alert')).toHaveLength(2);
    const ids = [...container.querySelectorAll('[id]')].map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
    await expectAccessible(container);
  });

  it('is kept while another device is looked at', async () => {
    const { inspector, user, app, getByText, findByRole, backend } = await openDevice('bench-0001', {
      fates: [...fates],
    });
    await user.click(inspector.getByRole('button', { name: /^Edit report_interval_s/ }));
    const field = inspector.getByRole('textbox', { name: 'report_interval_s after restart' });
    await user.clear(field);
    await user.type(field, '45{Enter}');
    inspector.getByText('1 change not applied');
    await user.click(getByText('cold-store-0001', { selector: '.device' }));
    const other = within(await findByRole('complementary', { name: 'Inspector: cold-store-0001' }));
    await other.findByRole('switch', { name: 'LED' });
    expect(other.queryByText(/not applied/)).toBeNull();
    expect(app.inspected.edits).toEqual({});
    await user.click(getByText('bench-0001', { selector: '.device' }));
    const again = within(await findByRole('complementary', { name: 'Inspector: bench-0001' }));
    await again.findByRole('button', { name: 'Edit report_interval_s: 45, changed' });
    await user.click(again.getByRole('button', { name: 'Apply now' }));
    await waitFor(() => expect(again.queryByText(/not applied/)).toBeNull());
    const { commands } = await backend.device('demo', 'bench-0001');
    expect(commands[0]?.args).toBe('{"changes":{"report_interval_s":45},"apply":"now"}');
  });

  it.each(['failed', 'rejected', 'timed_out', 'expired'] as const)(
    'keeps what was typed where the change %s',
    async (state) => {
      const refused: Step[] = [...STEPS.slice(0, 2), { after: 80, change: { state } }];
      const { inspector, user, container } = await openDevice('bench-0001', { fates: [refused, ...fates] });
      await user.click(inspector.getByRole('button', { name: /^Edit temp_high_c/ }));
      await user.keyboard('44{Enter}');
      await user.click(inspector.getByRole('button', { name: 'Apply now' }));
      await inspector.findByRole('button', { name: 'Edit temp_high_c: 44, requested' });
      expect(inspector.queryByText(/not applied/)).toBeNull();
      await inspector.findByRole('button', { name: 'Edit temp_high_c: 44, changed' });
      inspector.getByText('1 change not applied');
      inspector.getByRole('heading', { name: 'config.set temp_high_c 44' });
      await expectAccessible(container);
      await user.click(inspector.getByRole('button', { name: 'Apply now' }));
      await waitFor(() => expect(inspector.getAllByRole('cell', { name: '44' })).toHaveLength(1));
      await waitFor(() => expect(inspector.queryByText(/not applied/)).toBeNull());
      await inspector.findByRole('button', { name: 'Edit temp_high_c: 44' });
    },
  );

  it('forgets what the device reports after all', async () => {
    const late: Step[] = [
      ...STEPS.slice(0, 2),
      { after: 5, change: { state: 'timed_out' } },
      { after: 400, change: { state: 'succeeded', late: true }, effect: 'config' },
    ];
    const { inspector, user, app } = await openDevice('bench-0001', { fates: [late] });
    app.inspected.edit('temp_high_c', '44');
    await user.click(inspector.getByRole('button', { name: 'Apply now' }));
    await inspector.findByRole('button', { name: 'Edit temp_high_c: 44, changed' });
    await inspector.findByRole('button', { name: 'Edit temp_high_c: 44' });
    expect(app.inspected.edits).toEqual({});
  });

  it('is applied to the device that it was sent to, though another is chosen meanwhile', async () => {
    const { app, backend } = await openDevice('bench-0001');
    const { inspected } = app;
    const { send } = backend;
    const waiting: (() => void)[] = [];
    backend.send = async (command) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return send.call(backend, command);
    };
    inspected.edit('report_interval_s', '45');
    const applied = inspected.apply('now');
    inspected.choose('demo', 'cold-store-0001');
    inspected.edit('buzzer', 'later');
    await waitFor(() => expect(waiting).toHaveLength(1));
    waiting[0]?.();
    await applied;
    expect(inspected.edits).toEqual({ buzzer: 'later' });
    inspected.choose('demo', 'bench-0001');
    expect(inspected.edits).toEqual({});
    // Not before it is known what kind of value it replaces.
    inspected.edit('buzzer', '5');
    expect(inspected.isReady).toBe(false);
  });

  it('refuses a value of another kind in words', async () => {
    const { inspector, user } = await openDevice('bench-0001');
    await user.click(inspector.getByRole('button', { name: /^Edit report_interval_s/ }));
    const field = inspector.getByRole('textbox', { name: 'report_interval_s after restart' });
    await user.clear(field);
    await user.type(field, 'often');
    inspector.getByText(/“often” is not a number/);
    expect(inspector.getByRole('button', { name: 'Apply now' })).toBeDisabled();
    await user.click(inspector.getByRole('button', { name: 'Discard' }));
    expect(inspector.queryByText(/is not a number/)).toBeNull();
  });
});
