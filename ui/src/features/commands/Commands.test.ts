import { waitFor, within } from '@testing-library/svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';

import type { CommandDefinition } from '../../backend/bindings/CommandDefinition';
import type { NewCommand } from '../../backend/bindings/NewCommand';
import { VALVE } from '../../test/valve';
import { expectAccessible, openFleet } from '../../test/window';
import { objectFrom } from '../../format/json';

// They are fetched when they are wanted first, which a busy machine takes its time for.
beforeAll(() => Promise.all([import('./CommandDialog.svelte'), import('./Commands.svelte')]), 120_000);

type Opened = Awaited<ReturnType<typeof openFleet>>;

/** What is sent from now on. */
function listen(window: Opened): NewCommand[] {
  const sent: NewCommand[] = [];
  const original = window.backend.send.bind(window.backend);
  window.backend.send = (command) => {
    sent.push(command);
    return original(command);
  };
  return sent;
}

/** The fleet with a device looked at and the person's own commands known. */
async function openBench(definitions: CommandDefinition[] = [VALVE]) {
  const window = await openFleet();
  for (const definition of definitions) await window.app.catalogue.save(null, definition);
  await window.user.click(window.getByText('bench-0001', { selector: '.device' }));
  await window.findByRole('switch', { name: 'LED' });
  return { ...window, sent: listen(window) };
}

async function openDialog(window: Opened) {
  await window.user.keyboard('c');
  await window.findByRole('combobox', { name: 'Command' });
  return within(window.getByRole('dialog', { name: 'Command for bench-0001' }));
}

/** Opens *Command…* and chooses what fits what is typed. */
async function choose(window: Opened, typed: string, title: string) {
  const dialog = await openDialog(window);
  await window.user.keyboard(`${typed}{Enter}`);
  await dialog.findByRole('heading', { name: title });
  return dialog;
}

describe('a command is chosen', () => {
  it('by the keyboard, one’s own first, and the keyboard is given back', async () => {
    const window = await openBench();
    window.getByRole('grid').focus();
    const dialog = await openDialog(window);
    expect(dialog.getByRole('combobox')).toHaveFocus();
    expect(dialog.getAllByRole('option')[0]).toHaveTextContent('Open the valve');
    expect(dialog.getAllByRole('option')).toHaveLength(10);
    await expectAccessible(window.container);
    await window.user.keyboard('{ArrowDown}{ArrowDown}');
    expect(window.container.querySelector('[role="option"][aria-selected="true"]')).toHaveTextContent('Restart');
    await window.user.keyboard('{Escape}');
    expect(window.queryByRole('dialog')).toBeNull();
    expect(window.getByRole('grid')).toHaveFocus();
  });

  it('also where nobody has described it, and is then written as JSON', async () => {
    const window = await openBench();
    await choose(window, 'reboot', 'reboot');
    const raw = window.getByRole('textbox', { name: 'Arguments (JSON)' });
    await window.user.clear(raw);
    await window.user.type(raw, '{{"hard": tru}');
    expect(raw).toHaveAccessibleDescription(/Line 1, column 10: Put text in double quotes/);
    await window.user.click(window.getByRole('button', { name: 'Send' }));
    expect(window.sent).toEqual([]);
    await window.user.clear(raw);
    await window.user.type(raw, '{{"hard": true}');
    await window.user.click(window.getByRole('button', { name: 'Send' }));
    await waitFor(() => expect(window.sent).toMatchObject([{ command: 'reboot', args: '{"hard":true}' }]));
    expect(window.queryByRole('dialog')).toBeNull();
  });
});

describe('the form of a command', () => {
  it('is made from its schema, and shows errors beside the fields', async () => {
    const window = await openBench();
    const dialog = await choose(window, 'valve', 'Open the valve');
    const percent = dialog.getByRole('textbox', { name: /How far/ });
    expect(percent).toHaveValue('50');
    expect(percent).toHaveFocus();
    await expectAccessible(window.container);
    await window.user.click(dialog.getByRole('button', { name: 'Send' }));
    await waitFor(() => expect(dialog.getByRole('combobox', { name: /Manner/ })).toBeInvalid());
    expect(dialog.getByRole('combobox', { name: /Manner/ })).toHaveAccessibleDescription(/Required/);
    await window.user.clear(percent);
    await window.user.type(percent, '500');
    await waitFor(() => expect(percent).toHaveAccessibleDescription(/At most 100/));
    expect(window.sent).toEqual([]);
    await expectAccessible(window.container);
  });

  it('sends what is filled in and nothing else', async () => {
    const window = await openBench();
    const dialog = await choose(window, 'valve', 'Open the valve');
    await window.user.selectOptions(dialog.getByRole('combobox', { name: /Manner/ }), 'fast');
    await window.user.click(dialog.getByRole('button', { name: 'Add an item' }));
    await window.user.type(await dialog.findByRole('textbox', { name: /At/ }), '3');
    await window.user.click(dialog.getByRole('checkbox', { name: 'Quietly' }));
    await window.user.click(dialog.getByRole('button', { name: 'Send' }));
    const args = expect.any(String) as string;
    await waitFor(() => expect(window.sent).toMatchObject([{ devices: ['bench-0001'], args }]));
    expect(objectFrom(window.sent[0]?.args ?? '')).toEqual({
      percent: 50,
      mode: 'fast',
      quiet: true,
      steps: [{ at: 3 }],
    });
  });

  it('never sends a number with other digits than were typed', async () => {
    const window = await openBench();
    const dialog = await choose(window, 'valve', 'Open the valve');
    await window.user.selectOptions(dialog.getByRole('combobox', { name: /Manner/ }), 'fast');
    await window.user.click(dialog.getByRole('button', { name: 'Add an item' }));
    const at = await dialog.findByRole('textbox', { name: /At/ });
    await window.user.type(at, '9007199254740993');
    await window.user.keyboard('{Control>}j{/Control}');
    const raw = await dialog.findByRole('textbox', { name: 'Arguments (JSON)' });
    expect((raw as HTMLTextAreaElement).value).toContain('"at": 9007199254740993\n');
    await window.user.clear(raw);
    await window.user.type(raw, '{{"mode": "fast", "steps": [[{{"at": 1}], "mode": "slow"}');
    expect(raw).toHaveAccessibleDescription(/^Line 1, column 40: “mode” occurs twice/);
    await window.user.clear(raw);
    await window.user.type(raw, '{{"percent": 2e1, "mode": "fast", "steps": [[{{"at": 9007199254740993}]}');
    await window.user.click(dialog.getByRole('radio', { name: 'Form' }));
    expect(await dialog.findByRole('textbox', { name: /At/ })).toHaveValue('9007199254740993');
    await window.user.click(dialog.getByRole('button', { name: 'Send' }));
    const exact = '{"percent":2e1,"mode":"fast","steps":[{"at":9007199254740993}]}';
    await waitFor(() => expect(window.sent[0]?.args).toBe(exact));
  });

  it('takes values of any type where the schema leaves it open', async () => {
    const window = await openBench([]);
    const dialog = await choose(window, 'config.set', 'Change configuration');
    await window.user.click(dialog.getByRole('button', { name: 'Add a key' }));
    await window.user.type(await dialog.findByRole('textbox', { name: 'name' }), '7.5');
    await window.user.click(dialog.getByRole('button', { name: 'Send' }));
    await waitFor(() =>
      expect(objectFrom(window.sent[0]?.args ?? '')).toEqual({ changes: { name: 7.5 }, apply: 'now' }),
    );
  });

  it('is one key away from the same as JSON, both ways', async () => {
    const window = await openBench();
    const dialog = await choose(window, 'valve', 'Open the valve');
    await window.user.keyboard('{Control>}j{/Control}');
    const raw = await dialog.findByRole('textbox', { name: 'Arguments (JSON)' });
    expect(JSON.parse((raw as HTMLTextAreaElement).value)).toEqual({ percent: 50 });
    await window.user.clear(raw);
    await window.user.type(raw, '{{{enter}"percent": 120,{enter}"mode": "slow"}');
    await dialog.findByText('Line 2, percent: At most 100.');
    await expectAccessible(window.container);
    await window.user.click(dialog.getByRole('button', { name: 'Send' }));
    expect(window.sent).toEqual([]);
    await window.user.clear(raw);
    await window.user.type(raw, '{{"percent": 20, "mode": "slow"}');
    await window.user.click(dialog.getByRole('radio', { name: 'Form' }));
    expect(await dialog.findByRole('textbox', { name: /How far/ })).toHaveValue('20');
    await window.user.click(dialog.getByRole('button', { name: 'Send' }));
    await waitFor(() => expect(objectFrom(window.sent[0]?.args ?? '')).toEqual({ percent: 20, mode: 'slow' }));
  });

  it('names that key as this computer’s keyboard does', async () => {
    const agent = vi.spyOn(navigator, 'userAgent', 'get').mockReturnValue('Macintosh');
    const window = await openBench();
    const dialog = await choose(window, 'valve', 'Open the valve');
    expect(dialog.getByTitle('Keys: ⌘J')).toBeVisible();
    agent.mockRestore();
  });

  it('lets arguments of a built-in command go out anyway, as JSON', async () => {
    const window = await openBench([]);
    const dialog = await choose(window, 'identify', 'Identify');
    await window.user.click(dialog.getByRole('radio', { name: 'JSON' }));
    const raw = await dialog.findByRole('textbox', { name: 'Arguments (JSON)' });
    await window.user.clear(raw);
    await window.user.type(raw, '{{"colour": "red"}');
    await window.user.click(dialog.getByRole('button', { name: 'Send anyway' }));
    await waitFor(() => expect(objectFrom(window.sent[0]?.args ?? '')).toEqual({ colour: 'red' }));
  });

  it('offers nothing of the kind for a text that cannot be read', async () => {
    const window = await openBench([]);
    const dialog = await choose(window, 'telemetry.set', 'Telemetry interval');
    await window.user.click(dialog.getByRole('radio', { name: 'JSON' }));
    const raw = await dialog.findByRole('textbox', { name: 'Arguments (JSON)' });
    await window.user.clear(raw);
    await window.user.type(raw, '{{"interval_ms": 500, "interval_ms": 900}');
    dialog.getByRole('button', { name: 'Send' });
    expect(dialog.queryByRole('button', { name: 'Send anyway' })).toBeNull();
  });
});

describe('a dangerous command', () => {
  it('asks first and names the device', async () => {
    const window = await openBench([]);
    const dialog = await choose(window, 'restart', 'Restart');
    await window.user.click(dialog.getByRole('button', { name: 'Send…' }));
    expect(await dialog.findByRole('button', { name: 'Cancel' })).toHaveFocus();
    expect(window.sent).toEqual([]);
    await expectAccessible(window.container);
    await window.user.click(dialog.getByRole('button', { name: 'Restart: bench-0001' }));
    await waitFor(() => expect(window.sent).toMatchObject([{ command: 'restart', devices: ['bench-0001'] }]));
  });

  it('for more than twenty wants their number', async () => {
    const window = await openBench([]);
    const page = await window.backend.devices(
      { connection: 'demo', search: '', sort: 'device', order: 'ascending', group: null },
      0,
      21,
    );
    const devices = page.rows.map((row) => row.device);
    window.app.composer.open({ connection: 'demo', devices, offline: [] });
    const dialog = within(await window.findByRole('dialog', { name: 'Command for 21 devices' }));
    await window.user.keyboard('restart{Enter}');
    await window.user.click(await dialog.findByRole('button', { name: 'Send…' }));
    const go = await dialog.findByRole('button', { name: 'Restart: 21 devices' });
    expect(go).toBeDisabled();
    await window.user.type(dialog.getByRole('textbox', { name: 'Type 21 to continue' }), '21');
    await window.user.click(go);
    await waitFor(() => expect(window.sent).toMatchObject([{ devices }]));
  });
});

describe('a button', () => {
  it('is made of a filled-in form, and sends it', async () => {
    const window = await openBench();
    const dialog = await choose(window, 'valve', 'Open the valve');
    await window.user.selectOptions(dialog.getByRole('combobox', { name: /Manner/ }), 'slow');
    await window.user.click(dialog.getByRole('button', { name: 'Save as button…' }));
    const field = await dialog.findByRole('textbox', { name: 'Label' });
    await window.user.clear(field);
    await window.user.type(field, 'Half open');
    await window.user.click(dialog.getByRole('radio', { name: 'bolt' }));
    await expectAccessible(window.getByRole('dialog'));
    await window.user.click(dialog.getByRole('button', { name: 'Save button' }));
    await dialog.findByRole('button', { name: 'Send' });
    await window.findByText('The button “Half open” was saved.');
    await window.user.keyboard('{Escape}');
    const buttons = within(await window.findByRole('region', { name: 'Buttons' }));
    await window.user.click(buttons.getByRole('button', { name: 'Half open' }));
    await waitFor(() =>
      expect(window.sent).toMatchObject([{ command: 'valve.open', args: '{"percent":50,"mode":"slow"}' }]),
    );
    expect(window.app.actions.list.map(({ name }) => name)).toContain('Half open');
  });

  async function openButtons() {
    const window = await openBench([]);
    const kept = {
      id: '',
      connection: null,
      icon: 'bell',
      command: 'identify',
      args: '{"seconds":3}',
      no_answer: false,
    };
    for (const label of ['Blink', 'Once more']) await window.app.catalogue.saveButton({ ...kept, label });
    window.app.route.go('commands');
    return { ...window, list: within(await window.findByRole('list', { name: 'Buttons' })) };
  }

  it('is moved, changed and removed', async () => {
    const { list, ...window } = await openButtons();
    await window.user.click(list.getByRole('button', { name: 'Move Once more up' }));
    await waitFor(() => expect(list.getAllByRole('listitem')[0]).toHaveTextContent('Once more'));
    await window.user.click(list.getByRole('button', { name: 'Blink' }));
    const label = await window.findByRole('textbox', { name: 'Label' });
    await window.user.type(label, ' now{Enter}');
    await list.findByRole('button', { name: 'Blink now' });
    await window.user.click(list.getByRole('button', { name: 'Remove Once more' }));
    await waitFor(() => expect(list.getAllByRole('listitem')).toHaveLength(1));
    expect(window.app.catalogue.buttons).toMatchObject([{ label: 'Blink now', args: '{"seconds":3}' }]);
  });

  it('comes back where it was when its removal is undone', async () => {
    const { list, ...window } = await openButtons();
    const [kept] = window.app.catalogue.buttons;
    await window.user.click(list.getByRole('button', { name: 'Remove Blink' }));
    await window.findByText(/^Removed Blink\./);
    expect(window.getByRole('button', { name: 'Undo' })).toHaveFocus();
    await expectAccessible(window.container);
    await window.user.keyboard('{Enter}');
    await waitFor(() => expect(list.getAllByRole('listitem')).toHaveLength(2));
    expect(window.app.catalogue.buttons[0]).toEqual(kept);
    await waitFor(() => expect(list.getByRole('button', { name: 'Blink' })).toHaveFocus());
    expect(window.queryByRole('button', { name: 'Undo' })).toBeNull();
  });

  it('is changed without anything being sent, by Enter too', async () => {
    const { list, ...window } = await openButtons();
    await window.user.click(list.getByRole('button', { name: 'Blink' }));
    const dialog = within(await window.findByRole('dialog', { name: 'Edit the button Blink' }));
    const seconds = await dialog.findByRole('textbox', { name: /Seconds/ });
    expect(seconds).toHaveFocus();
    expect(dialog.queryByRole('button', { name: /^Send/ })).toBeNull();
    await expectAccessible(window.container);
    await window.user.clear(seconds);
    await window.user.type(seconds, '500{Enter}');
    await waitFor(() => expect(seconds).toHaveAccessibleDescription(/At most 60/));
    await window.user.clear(seconds);
    await window.user.type(seconds, '7{Enter}');
    await waitFor(() => expect(window.queryByRole('dialog')).toBeNull());
    expect(window.app.catalogue.buttons).toMatchObject([
      { label: 'Blink', args: '{"seconds":7}' },
      { args: '{"seconds":3}' },
    ]);
    await window.user.click(list.getByRole('button', { name: 'Blink' }));
    await window.user.click(await window.findByRole('button', { name: 'Cancel' }));
    expect(window.queryByRole('dialog')).toBeNull();
    expect(window.sent).toEqual([]);
  });

  it('sends nothing where there is nobody to send it to', async () => {
    const { app, sent } = await openBench([]);
    app.composer.open({ connection: 'demo', devices: [], offline: [] }, { kind: 'named', name: 'reboot' });
    expect(app.composer.isReady).toBe(true);
    expect(await app.composer.send()).toBe(false);
    expect(sent).toEqual([]);
  });

  it('of a dangerous command asks first', async () => {
    const window = await openBench([]);
    const button = { id: '', connection: null, label: 'Reboot', icon: 'power', command: 'restart', args: '{}' };
    await window.app.catalogue.saveButton({ ...button, no_answer: false });
    await window.user.click(await window.findByRole('button', { name: 'Reboot…' }));
    await window.user.click(await window.findByRole('button', { name: 'Restart: bench-0001' }));
    await waitFor(() => expect(window.sent).toMatchObject([{ command: 'restart' }]));
  });
});
