import { waitFor, within } from '@testing-library/svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';

import type { CommandDefinition } from '../../backend/bindings/CommandDefinition';
import type { NewCommand } from '../../backend/bindings/NewCommand';
import { expectAccessible, openFleet } from '../../test/window';
import { BLANK } from '../../words/definition';

// They are fetched when they are wanted first, which a busy machine takes its time for.
beforeAll(() => Promise.all([import('./CommandDialog.svelte'), import('./Commands.svelte')]), 120_000);

type Opened = Awaited<ReturnType<typeof openFleet>>;

const VALVE: CommandDefinition = {
  ...BLANK,
  name: 'valve.open',
  title: 'Open the valve',
  schema: {
    type: 'object',
    properties: {
      percent: { type: 'integer', title: 'How far', minimum: 0, maximum: 100, default: 50 },
      mode: { enum: ['slow', 'fast'], title: 'Manner' },
      quiet: { type: 'boolean', title: 'Quietly' },
      steps: {
        type: 'array',
        title: 'Steps',
        items: { type: 'object', properties: { at: { type: 'number', title: 'At' } }, required: ['at'] },
      },
      where: { type: 'object', title: 'Where', properties: { zone: { type: 'string', title: 'Zone' } } },
    },
    required: ['percent', 'mode'],
  },
  safe_to_repeat: true,
  icon: 'drop',
};

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
    expect(raw).toHaveAccessibleDescription(/Line 1, column 10: Text stands in double quotes/);
    await window.user.click(window.getByRole('button', { name: 'Send' }));
    expect(window.sent).toEqual([]);
    await window.user.clear(raw);
    await window.user.type(raw, '{{"hard": true}');
    await window.user.click(window.getByRole('button', { name: 'Send' }));
    await waitFor(() => expect(window.sent).toMatchObject([{ command: 'reboot', args: { hard: true } }]));
    expect(window.queryByRole('dialog')).toBeNull();
  });
});

describe('the form of a command', () => {
  it('is made from its schema, and says beside a field what is wrong with it', async () => {
    const window = await openBench();
    const dialog = await choose(window, 'valve', 'Open the valve');
    const percent = dialog.getByRole('spinbutton', { name: /How far/ });
    expect(percent).toHaveValue(50);
    expect(percent).toHaveFocus();
    await expectAccessible(window.container);
    await window.user.click(dialog.getByRole('button', { name: 'Send' }));
    await waitFor(() => expect(dialog.getByRole('combobox', { name: /Manner/ })).toBeInvalid());
    expect(dialog.getByRole('combobox', { name: /Manner/ })).toHaveAccessibleDescription(/This is needed/);
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
    await window.user.click(dialog.getByRole('button', { name: 'Add one' }));
    await window.user.type(await dialog.findByRole('spinbutton', { name: /At/ }), '3');
    await window.user.click(dialog.getByRole('checkbox', { name: 'Quietly' }));
    await window.user.click(dialog.getByRole('button', { name: 'Send' }));
    const args = { percent: 50, mode: 'fast', quiet: true, steps: [{ at: 3 }] };
    await waitFor(() => expect(window.sent).toMatchObject([{ devices: ['bench-0001'], args }]));
    expect(window.sent[0]?.args).toEqual(args);
  });

  it('never sends a number with other digits than were typed', async () => {
    const window = await openBench();
    const dialog = await choose(window, 'valve', 'Open the valve');
    await window.user.selectOptions(dialog.getByRole('combobox', { name: /Manner/ }), 'fast');
    await window.user.click(dialog.getByRole('button', { name: 'Add one' }));
    const at = await dialog.findByRole('spinbutton', { name: /At/ });
    await window.user.type(at, '9007199254740993');
    await waitFor(() => expect(at).toHaveAccessibleDescription(/too large to be kept exactly/));
    await window.user.click(dialog.getByRole('button', { name: 'Send' }));
    await window.user.keyboard('{Control>}j{/Control}');
    const raw = await dialog.findByRole('textbox', { name: 'Arguments (JSON)' });
    await window.user.clear(raw);
    await window.user.type(raw, '{{"mode": "fast", "steps": [[{{"at": 9007199254740993}]}');
    expect(raw).toHaveAccessibleDescription(/^Line 1, column 35: That number is too large/);
    await window.user.click(dialog.getByRole('button', { name: 'Send' }));
    expect(window.sent).toEqual([]);
  });

  it('takes values of any type where the schema leaves it open', async () => {
    const window = await openBench([]);
    const dialog = await choose(window, 'config.set', 'Change configuration');
    await window.user.click(dialog.getByRole('button', { name: 'Add one' }));
    await window.user.type(await dialog.findByRole('textbox', { name: 'name' }), '7.5');
    await window.user.click(dialog.getByRole('button', { name: 'Send' }));
    await waitFor(() => expect(window.sent[0]?.args).toEqual({ changes: { name: 7.5 }, apply: 'now' }));
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
    expect(await dialog.findByRole('spinbutton', { name: /How far/ })).toHaveValue(20);
    await window.user.click(dialog.getByRole('button', { name: 'Send' }));
    await waitFor(() => expect(window.sent[0]?.args).toEqual({ percent: 20, mode: 'slow' }));
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
    await waitFor(() => expect(window.sent[0]?.args).toEqual({ colour: 'red' }));
  });
});

describe('a dangerous command', () => {
  it('asks first and names the device', async () => {
    const window = await openBench([]);
    const dialog = await choose(window, 'restart', 'Restart');
    await window.user.click(dialog.getByRole('button', { name: 'Send…' }));
    expect(await dialog.findByRole('button', { name: 'Leave it' })).toHaveFocus();
    expect(window.sent).toEqual([]);
    await expectAccessible(window.container);
    await window.user.click(dialog.getByRole('button', { name: 'Restart: bench-0001' }));
    await waitFor(() => expect(window.sent).toMatchObject([{ command: 'restart', devices: ['bench-0001'] }]));
  });

  it('for more than twenty wants their number', async () => {
    const window = await openBench([]);
    const page = await window.backend.devices(
      { connection: 'demo', search: '', sort: 'device', order: 'ascending' },
      0,
      21,
    );
    const devices = page.rows.map((row) => row.device);
    window.app.asking.open({ connection: 'demo', devices, offline: [] });
    const dialog = within(await window.findByRole('dialog', { name: 'Command for 21 devices' }));
    await window.user.keyboard('restart{Enter}');
    await window.user.click(await dialog.findByRole('button', { name: 'Send…' }));
    const go = await dialog.findByRole('button', { name: 'Restart: 21 devices' });
    expect(go).toBeDisabled();
    await window.user.type(dialog.getByRole('textbox', { name: 'Type 21 to go on' }), '21');
    await window.user.click(go);
    await waitFor(() => expect(window.sent).toMatchObject([{ devices }]));
  });
});

describe('a button', () => {
  it('is made of a filled-in form, and sends it', async () => {
    const window = await openBench();
    const dialog = await choose(window, 'valve', 'Open the valve');
    await window.user.selectOptions(dialog.getByRole('combobox', { name: /Manner/ }), 'slow');
    await window.user.click(dialog.getByRole('button', { name: 'Save as a button…' }));
    const field = await dialog.findByRole('textbox', { name: 'What the button says' });
    await window.user.clear(field);
    await window.user.type(field, 'Half open');
    await window.user.click(dialog.getByRole('radio', { name: 'bolt' }));
    await expectAccessible(window.getByRole('dialog'));
    await window.user.click(dialog.getByRole('button', { name: 'Save the button' }));
    await dialog.findByRole('button', { name: 'Send' });
    await window.user.keyboard('{Escape}');
    const buttons = within(await window.findByRole('region', { name: 'Buttons' }));
    await window.user.click(buttons.getByRole('button', { name: 'Half open' }));
    await waitFor(() =>
      expect(window.sent).toMatchObject([{ command: 'valve.open', args: { percent: 50, mode: 'slow' } }]),
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
      args: { seconds: 3 },
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
    const label = await window.findByRole('textbox', { name: 'What the button says' });
    await window.user.type(label, ' now{Enter}');
    await list.findByRole('button', { name: 'Blink now' });
    await window.user.click(list.getByRole('button', { name: 'Remove Once more' }));
    await waitFor(() => expect(list.getAllByRole('listitem')).toHaveLength(1));
    expect(window.app.catalogue.buttons).toMatchObject([{ label: 'Blink now', args: { seconds: 3 } }]);
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
    const dialog = within(await window.findByRole('dialog', { name: 'Change the button Blink' }));
    const seconds = await dialog.findByRole('spinbutton', { name: /Seconds/ });
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
      { label: 'Blink', args: { seconds: 7 } },
      { args: { seconds: 3 } },
    ]);
    await window.user.click(list.getByRole('button', { name: 'Blink' }));
    await window.user.click(await window.findByRole('button', { name: 'Leave it' }));
    expect(window.queryByRole('dialog')).toBeNull();
    expect(window.sent).toEqual([]);
  });

  it('sends nothing where there is nobody to send it to', async () => {
    const { app, sent } = await openBench([]);
    app.asking.open({ connection: 'demo', devices: [], offline: [] }, { kind: 'named', name: 'reboot' });
    expect(app.asking.isReady).toBe(true);
    expect(await app.asking.send()).toBe(false);
    expect(sent).toEqual([]);
  });

  it('of a dangerous command asks first', async () => {
    const window = await openBench([]);
    const button = { id: '', connection: null, label: 'Reboot', icon: 'power', command: 'restart', args: {} };
    await window.app.catalogue.saveButton({ ...button, no_answer: false });
    await window.user.click(await window.findByRole('button', { name: 'Reboot…' }));
    await window.user.click(await window.findByRole('button', { name: 'Restart: bench-0001' }));
    await waitFor(() => expect(window.sent).toMatchObject([{ command: 'restart' }]));
  });
});

describe('the catalogue', () => {
  async function openCatalogue() {
    const window = await openFleet();
    await window.user.keyboard('gm');
    await window.findByRole('heading', { name: 'Commands' });
    return window;
  }

  it('shows what came with Wilco, which can only be copied', async () => {
    const window = await openCatalogue();
    await window.user.click(await window.findByRole('button', { name: /^Restart/ }));
    const article = within(await window.findByRole('article', { name: 'Restart' }));
    expect(article.getByText(/Asks first/)).toBeVisible();
    expect(article.queryByRole('button', { name: 'Edit' })).toBeNull();
    await expectAccessible(window.container);
    await window.user.click(article.getByRole('button', { name: 'Duplicate' }));
    expect(await window.findByRole('textbox', { name: 'Name on the wire' })).toHaveValue('restart.copy');
    await window.user.click(window.getByRole('button', { name: 'Save' }));
    await window.findByRole('article', { name: 'Restart copy' });
  });

  it('describes a command with its form and its request shown beside', async () => {
    const window = await openCatalogue();
    await window.user.click(await window.findByRole('button', { name: 'Describe a command' }));
    const name = await window.findByRole('textbox', { name: 'Name on the wire' });
    await window.user.click(window.getByRole('button', { name: 'Save' }));
    expect(name).toHaveAccessibleDescription('Say what the device is told.');
    await window.user.type(name, 'calibrate');
    const payload = window.getByRole('textbox', { name: 'Payload' });
    await window.user.click(payload);
    await window.user.paste('{"level": {args.level');
    await window.findByText(/makes no JSON/);
    await window.user.paste('}}');
    await window.findByText('{"level": 0}');
    await window.findByText(/is not told the command’s id/);
    await window.findByRole('spinbutton', { name: /Level/ });
    await expectAccessible(window.container);
    const schema = window.getByRole('textbox', { name: 'Arguments (JSON Schema)' });
    await window.user.clear(schema);
    await window.user.click(schema);
    await window.user.paste('{"type": "array"');
    expect(schema).toHaveAccessibleDescription(/Line 1, column 17: Here a , or a } is missing/);
    await window.user.paste('}');
    await waitFor(() => expect(schema).toHaveAccessibleDescription(/^The schema is not of an object/));
    await window.user.click(window.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(schema).toHaveFocus());
    expect(window.getAllByText(/The schema is not of an object/)).toHaveLength(1);
    await expectAccessible(window.container);
    await window.user.clear(schema);
    await window.user.click(schema);
    await window.user.paste('{}');
    await waitFor(() => expect(schema).toBeValid());
    const timeout = window.getByRole('textbox', { name: 'Timeout, s' });
    await window.user.clear(timeout);
    await window.user.type(timeout, 'soon');
    expect(timeout).toHaveAccessibleDescription(/Seconds, from 0.001/);
    await window.user.clear(timeout);
    await window.user.type(timeout, '2.5');
    await window.user.click(window.getByRole('button', { name: 'Save' }));
    await window.findByRole('article', { name: 'calibrate' });
    expect(window.app.catalogue.find('demo', 'calibrate')?.definition).toMatchObject({ timeout_ms: 2_500, schema: {} });
  });

  it('shows on the wire what its form is filled in with, or an example', async () => {
    const window = await openCatalogue();
    await window.user.click(await window.findByRole('button', { name: 'Describe a command' }));
    await window.user.type(await window.findByRole('textbox', { name: 'Name on the wire' }), 'calibrate');
    const level = await window.findByRole('spinbutton', { name: /Level/ });
    const wire = within(window.getByRole('region', { name: 'On the wire' }));
    await wire.findByText(/"command":"calibrate","args":\{"level":0\}/);
    wire.getByText(/The arguments are an example/);
    await window.user.type(level, '7');
    await wire.findByText(/"args":\{"level":7\}/);
    expect(wire.queryByText(/The arguments are an example/)).toBeNull();
    await expectAccessible(window.container);
    await window.user.type(level, '0');
    await waitFor(() => expect(level).toHaveAccessibleDescription(/At most 10/));
    await wire.findByText(/The arguments are an example/);
    const schema = window.getByRole('textbox', { name: 'Arguments (JSON Schema)' });
    await window.user.clear(schema);
    await window.user.click(schema);
    await window.user.paste('{"type": "object", "properties": {"depth": {"type": "integer", "default": 4}}}');
    await wire.findByText(/"args":\{"depth":4\}/);
    await waitFor(() => expect(wire.queryByText(/The arguments are an example/)).toBeNull());
  });

  it('keeps what is being described while something else is looked at', async () => {
    const window = await openCatalogue();
    await window.user.click(await window.findByRole('button', { name: 'Describe a command' }));
    await window.user.type(await window.findByRole('textbox', { name: 'Name on the wire' }), 'calibrate');
    await window.user.click(window.getByRole('button', { name: /^Restart/ }));
    await window.findByRole('article', { name: 'Restart' });
    await expectAccessible(window.container);
    await window.user.click(window.getByRole('button', { name: 'calibrate not saved' }));
    expect(await window.findByRole('textbox', { name: 'Name on the wire' })).toHaveValue('calibrate');
    await window.user.click(window.getByRole('link', { name: 'Fleet' }));
    await window.findByRole('grid', { name: 'Devices' });
    window.app.route.go('commands');
    expect(await window.findByRole('textbox', { name: 'Name on the wire' })).toHaveValue('calibrate');
    await window.user.type(window.getByRole('textbox', { name: 'Title' }), 'Level out');
    await window.user.click(window.getByRole('button', { name: 'Save' }));
    await window.findByRole('article', { name: 'Level out' });
    expect(window.queryByText('not saved')).toBeNull();
  });

  it('asks before an unsaved description is left or replaced, and only then', async () => {
    const window = await openCatalogue();
    await window.app.catalogue.save(null, VALVE);
    const begin = () => window.user.click(window.getByRole('button', { name: 'Describe a command' }));
    const name = () => window.findByRole('textbox', { name: 'Name on the wire' });
    await begin();
    await name();
    await window.user.click(window.getByRole('button', { name: 'Leave it' }));
    await window.user.click(await window.findByRole('button', { name: 'Edit' }));
    expect(await name()).toHaveValue('valve.open');
    await begin();
    await waitFor(async () => expect(await name()).toHaveValue(''));
    await window.user.click(window.getByRole('button', { name: /^Open the valve/ }));
    expect(window.queryByText('not saved')).toBeNull();

    await window.user.click(await window.findByRole('button', { name: 'Edit' }));
    await window.user.type(await name(), '2');
    for (const leaves of ['Leave it', 'Describe a command']) {
      await window.user.click(window.getByRole('button', { name: leaves }));
      await window.findByText('What you wrote of Open the valve is forgotten.');
      await expectAccessible(window.container);
      await window.user.click(window.getByRole('button', { name: 'Go on with it' }));
      expect(await name()).toHaveValue('valve.open2');
    }
    for (const replaces of ['Edit', 'Duplicate']) {
      await window.user.click(window.getByRole('button', { name: 'Open the valve valve.open' }));
      await window.user.click(await window.findByRole('button', { name: replaces }));
      await window.user.click(window.getByRole('button', { name: 'Go on with it' }));
      expect(await name()).toHaveValue('valve.open2');
    }
    await begin();
    await window.user.click(window.getByRole('button', { name: 'Leave without saving' }));
    await waitFor(async () => expect(await name()).toHaveValue(''));
    await window.user.click(window.getByRole('button', { name: 'Leave it' }));
    await window.findByRole('article', { name: 'Open the valve' });
  });

  it('is come to by the palette, for all that its buttons do', async () => {
    const window = await openFleet();
    const run = async (typed: string) => {
      await window.user.keyboard(`{Control>}k{/Control}${typed}{Enter}`);
    };
    expect(window.app.actions.list.map(({ id }) => id)).not.toContain('commands.export');
    await run('import commands');
    await window.findByRole('dialog', { name: 'Import commands' });
    await window.app.catalogue.save(null, VALVE);
    await window.user.keyboard('{Escape}');
    await run('export commands');
    await window.findByText('Written to /home/you/commands.json.');
    await window.user.click(window.getByRole('link', { name: 'Fleet' }));
    await run('describe a command');
    await window.user.type(await window.findByRole('textbox', { name: 'Name on the wire' }), 'calibrate');
    await window.user.click(window.getByRole('link', { name: 'Fleet' }));
    await run('describe a command');
    await window.findByRole('dialog', { name: 'Leave without saving?' });
    await window.user.click(window.getByRole('button', { name: 'Leave without saving' }));
    await waitFor(() => expect(window.getByRole('textbox', { name: 'Name on the wire' })).toHaveValue(''));
  });

  it('draws no form from a schema that the engine has not found to be one', async () => {
    const window = await openCatalogue();
    await window.user.click(await window.findByRole('button', { name: 'Describe a command' }));
    await window.findByRole('spinbutton', { name: /Level/ });
    const original = window.backend.previewCommand.bind(window.backend);
    const asked: (() => void)[] = [];
    window.backend.previewCommand = async (command) => {
      await new Promise<void>((answer) => asked.push(answer));
      return { ...(await original(command)), drawable: false, problems: ['A part of it refers to itself.'] };
    };
    const schema = window.getByRole('textbox', { name: 'Arguments (JSON Schema)' });
    await window.user.clear(schema);
    await window.user.click(schema);
    await window.user.paste('{"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}}');
    await waitFor(() => expect(asked).not.toEqual([]));
    // What was drawn stays until there is an answer.
    const form = within(window.getByRole('region', { name: 'Form' }));
    expect(form.getByRole('spinbutton', { name: /Level/ })).toBeVisible();
    expect(form.queryByText(/left/)).toBeNull();
    asked.forEach((answer) => answer());
    await form.findByText('It is drawn once the schema is mended.');
    expect(window.getByText('A part of it refers to itself.')).toBeVisible();
  });

  it('refuses a name that is taken or built in', async () => {
    const window = await openCatalogue();
    await window.app.catalogue.save(null, VALVE);
    for (const [name, why] of [
      ['valve.open', /already a command 'valve.open'/],
      ['led', /'led' is a built-in command/],
    ] as const) {
      await window.user.click(await window.findByRole('button', { name: 'Describe a command' }));
      await window.user.type(await window.findByRole('textbox', { name: 'Name on the wire' }), name);
      await window.user.click(window.getByRole('button', { name: 'Save' }));
      expect(await window.findByRole('alert')).toHaveTextContent(why);
      await window.user.click(window.getByRole('button', { name: 'Leave it' }));
      await window.user.click(window.getByRole('button', { name: 'Leave without saving' }));
    }
  });

  it('asks before it takes a command away', async () => {
    const window = await openCatalogue();
    await window.app.catalogue.save(null, VALVE);
    const article = within(await window.findByRole('article', { name: 'Open the valve' }));
    await window.user.click(article.getByRole('button', { name: 'Remove…' }));
    await window.user.click(await article.findByRole('button', { name: 'Remove it' }));
    await waitFor(() => expect(window.app.catalogue.find('demo', 'valve.open')).toBeNull());
    await window.findByText('Open the valve is removed.');
  });

  it('takes commands from a file, and replaces nothing unasked', async () => {
    const window = await openCatalogue();
    await window.app.catalogue.save(null, { ...VALVE, name: 'calibrate', title: 'Level out' });
    await window.user.click(await window.findByRole('button', { name: 'Import…' }));
    const dialog = within(await window.findByRole('dialog', { name: 'Import commands' }));
    await window.user.click(dialog.getByRole('button', { name: 'Choose the file to read' }));
    await window.user.click(dialog.getByRole('button', { name: 'Look into it' }));
    expect(await dialog.findByRole('alert')).toHaveTextContent(/not a file of commands/);
    const path = dialog.getByRole('textbox', { name: 'Path of the file to read' });
    await window.user.clear(path);
    await window.user.type(path, '/home/you/pumps.json');
    await window.user.click(dialog.getByRole('button', { name: 'Look into it' }));
    await dialog.findByText("It is for the connection 'plant', which is not here.");
    dialog.getByRole('button', { name: 'Take 1' });
    await expectAccessible(window.container);
    await window.user.click(dialog.getByRole('checkbox', { name: 'Replace yours: calibrate' }));
    await window.user.click(dialog.getByRole('button', { name: 'Take 2' }));
    await dialog.findByText('Took Calibrate, Level 3.');
    await window.user.click(dialog.getByRole('button', { name: 'Done' }));
    expect(window.app.catalogue.buttons.map(({ label }) => label)).toEqual(['Level 3']);
    await window.user.click(window.getByRole('button', { name: 'Import…' }));
    await window.user.type(window.getByRole('textbox', { name: 'Path of the file to read' }), '/home/you/pumps.json');
    await window.user.click(window.getByRole('button', { name: 'Look into it' }));
    expect(await window.findByRole('button', { name: 'Take nothing' })).toBeDisabled();
    expect(window.app.catalogue.find('demo', 'calibrate')?.definition.title).toBe('Calibrate');
    await window.user.click(window.getByRole('button', { name: 'Export…' }));
    await window.findByText('Written to /home/you/commands.json.');
  });
});
