import { waitFor, within } from '@testing-library/svelte';
import { beforeAll, describe, expect, it } from 'vitest';

import { VALVE } from '../../test/valve';
import { expectAccessible, openFleet } from '../../test/window';

// They are fetched when they are wanted first, which a busy machine takes its time for.
beforeAll(() => Promise.all([import('./CommandDialog.svelte'), import('./Commands.svelte')]), 120_000);

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
    expect(article.getByText(/Confirmation: required/)).toBeVisible();
    expect(article.queryByRole('button', { name: 'Edit' })).toBeNull();
    await expectAccessible(window.container);
    await window.user.click(article.getByRole('button', { name: 'Duplicate' }));
    expect(await window.findByRole('textbox', { name: 'Command name in messages' })).toHaveValue('restart.copy');
    await window.user.click(window.getByRole('button', { name: 'Save' }));
    await window.findByRole('article', { name: 'Restart copy' });
  });

  it('describes a command with its form and its request shown beside', async () => {
    const window = await openCatalogue();
    await window.user.click(await window.findByRole('button', { name: 'Describe a command' }));
    const name = await window.findByRole('textbox', { name: 'Command name in messages' });
    await window.user.click(window.getByRole('button', { name: 'Save' }));
    expect(name).toHaveAccessibleDescription('Enter the name that the device expects.');
    await window.user.type(name, 'calibrate');
    const payload = window.getByRole('textbox', { name: 'Payload' });
    await window.user.click(payload);
    await window.user.paste('{"level": {args.level');
    await window.findByText(/does not produce JSON/);
    await window.user.paste('}}');
    await window.findByText('{"level": 0}');
    await window.findByText(/The request contains no ID/);
    await window.findByRole('textbox', { name: /Level/ });
    await expectAccessible(window.container);
    const schema = window.getByRole('textbox', { name: 'Arguments (JSON Schema)' });
    await window.user.clear(schema);
    await window.user.click(schema);
    await window.user.paste('{"type": "array"');
    expect(schema).toHaveAccessibleDescription(/Line 1, column 17: Expected a comma or }/);
    await window.user.paste('}');
    await waitFor(() => expect(schema).toHaveAccessibleDescription(/^The schema does not describe an object/));
    await window.user.click(window.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(schema).toHaveFocus());
    expect(window.getAllByText(/The schema does not describe an object/)).toHaveLength(1);
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
    expect(window.app.catalogue.find('demo', 'calibrate')?.definition).toMatchObject({
      timeout_ms: 2_500,
      schema: '{}',
    });
  });

  it('shows on the wire what its form is filled in with, or an example', async () => {
    const window = await openCatalogue();
    await window.user.click(await window.findByRole('button', { name: 'Describe a command' }));
    await window.user.type(await window.findByRole('textbox', { name: 'Command name in messages' }), 'calibrate');
    const level = await window.findByRole('textbox', { name: /Level/ });
    const wire = within(window.getByRole('region', { name: 'Request' }));
    await wire.findByText(/"command":"calibrate","args":\{"level":0\}/);
    wire.getByText(/These are example arguments/);
    await window.user.type(level, '7');
    await wire.findByText(/"args":\{"level":7\}/);
    expect(wire.queryByText(/These are example arguments/)).toBeNull();
    await expectAccessible(window.container);
    await window.user.type(level, '0');
    await waitFor(() => expect(level).toHaveAccessibleDescription(/At most 10/));
    await wire.findByText(/These are example arguments/);
    const schema = window.getByRole('textbox', { name: 'Arguments (JSON Schema)' });
    await window.user.clear(schema);
    await window.user.click(schema);
    await window.user.paste('{"type": "object", "properties": {"depth": {"type": "integer", "default": 4}}}');
    await wire.findByText(/"args":\{"depth":4\}/);
    await waitFor(() => expect(wire.queryByText(/These are example arguments/)).toBeNull());
  });

  it('keeps the numbers of a schema as they are written', async () => {
    const window = await openCatalogue();
    await window.user.click(await window.findByRole('button', { name: 'Describe a command' }));
    await window.user.type(await window.findByRole('textbox', { name: 'Command name in messages' }), 'tune');
    const limits = '"minimum":10000000000000000000001,"default":1e22,"multipleOf":1.0';
    const written = `{"properties":{"level":{"type":"integer","title":"Level",${limits}}}}`;
    const field = () => window.findByRole('textbox', { name: 'Arguments (JSON Schema)' });
    const schema = await field();
    await window.user.clear(schema);
    await window.user.click(schema);
    await window.user.paste(written.replace('1e22', '1e22,"default":1'));
    expect(schema).toHaveAccessibleDescription(/“default” occurs twice/);
    await window.user.clear(schema);
    await window.user.click(schema);
    await window.user.paste(written);
    const form = within(window.getByRole('region', { name: 'Form' }));
    await waitFor(() => expect(form.getByRole('textbox', { name: 'Level' })).toHaveValue('1e22'));
    const level = form.getByRole('textbox', { name: 'Level' });
    await waitFor(() => expect(level).toHaveAccessibleDescription('At least 10000000000000000000001.'));
    await window.user.click(window.getByRole('button', { name: 'Save' }));
    const article = within(await window.findByRole('article', { name: 'tune' }));
    expect(window.app.catalogue.find('demo', 'tune')?.definition.schema).toBe(written);
    const shown = article.getByLabelText('Schema').textContent;
    expect(shown).toContain('"minimum": 10000000000000000000001,\n');
    expect(shown).toContain('"default": 1e22,\n');
    await window.user.click(article.getByRole('button', { name: 'Edit' }));
    expect(await field()).toHaveValue(shown);
  });

  it('says beforehand which argument is sent as null where it is left empty', async () => {
    const window = await openCatalogue();
    await window.user.click(await window.findByRole('button', { name: 'Describe a command' }));
    await window.user.type(await window.findByRole('textbox', { name: 'Command name in messages' }), 'valve');
    const fill = async (name: RegExp | string, text: string) => {
      const field = window.getByRole('textbox', { name });
      await window.user.clear(field);
      await window.user.click(field);
      await window.user.paste(text);
    };
    await fill('Arguments (JSON Schema)', '{"properties": {"percent": {"type": "integer"}}, "required": ["percent"]}');
    await fill(/^Payload/, '{"open":{args.percent}}');
    const wire = within(window.getByRole('region', { name: 'Request' }));
    await wire.findByText(/"open":/);
    expect(wire.queryByText(/null is sent/)).toBeNull();
    await fill('Arguments (JSON Schema)', '{"properties": {"percent": {"type": "integer"}}}');
    await wire.findByText('Sent as null if left empty: percent.');
    await expectAccessible(window.container);
  });

  it('keeps what is being described while something else is looked at', async () => {
    const window = await openCatalogue();
    await window.user.click(await window.findByRole('button', { name: 'Describe a command' }));
    await window.user.type(await window.findByRole('textbox', { name: 'Command name in messages' }), 'calibrate');
    await window.user.click(window.getByRole('button', { name: /^Restart/ }));
    await window.findByRole('article', { name: 'Restart' });
    await expectAccessible(window.container);
    await window.user.click(window.getByRole('button', { name: 'calibrate not saved' }));
    expect(await window.findByRole('textbox', { name: 'Command name in messages' })).toHaveValue('calibrate');
    await window.user.click(window.getByRole('link', { name: 'Fleet' }));
    await window.findByRole('grid', { name: 'Devices' });
    window.app.route.go('commands');
    expect(await window.findByRole('textbox', { name: 'Command name in messages' })).toHaveValue('calibrate');
    await window.user.type(window.getByRole('textbox', { name: 'Title' }), 'Level out');
    await window.user.click(window.getByRole('button', { name: 'Save' }));
    await window.findByRole('article', { name: 'Level out' });
    expect(window.queryByText('not saved')).toBeNull();
  });

  it('asks before an unsaved description is left or replaced, and only then', async () => {
    const window = await openCatalogue();
    await window.app.catalogue.save(null, VALVE);
    const begin = () => window.user.click(window.getByRole('button', { name: 'Describe a command' }));
    const name = () => window.findByRole('textbox', { name: 'Command name in messages' });
    await begin();
    await name();
    await window.user.click(window.getByRole('button', { name: 'Cancel' }));
    await window.user.click(await window.findByRole('button', { name: 'Edit' }));
    expect(await name()).toHaveValue('valve.open');
    await begin();
    await waitFor(async () => expect(await name()).toHaveValue(''));
    await window.user.click(window.getByRole('button', { name: /^Open the valve/ }));
    expect(window.queryByText('not saved')).toBeNull();

    await window.user.click(await window.findByRole('button', { name: 'Edit' }));
    await window.user.type(await name(), '2');
    for (const leaves of ['Cancel', 'Describe a command']) {
      await window.user.click(window.getByRole('button', { name: leaves }));
      await window.findByText('Your changes to Open the valve will be lost.');
      await expectAccessible(window.container);
      await window.user.click(window.getByRole('button', { name: 'Keep editing' }));
      expect(await name()).toHaveValue('valve.open2');
    }
    for (const replaces of ['Edit', 'Duplicate']) {
      await window.user.click(window.getByRole('button', { name: 'Open the valve valve.open' }));
      await window.user.click(await window.findByRole('button', { name: replaces }));
      await window.user.click(window.getByRole('button', { name: 'Keep editing' }));
      expect(await name()).toHaveValue('valve.open2');
    }
    await begin();
    await window.user.click(window.getByRole('button', { name: 'Discard changes' }));
    await waitFor(async () => expect(await name()).toHaveValue(''));
    await window.user.click(window.getByRole('button', { name: 'Cancel' }));
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
    await window.findByText('Exported to /home/you/commands.json.');
    await window.user.click(window.getByRole('link', { name: 'Fleet' }));
    await run('describe a command');
    await window.user.type(await window.findByRole('textbox', { name: 'Command name in messages' }), 'calibrate');
    await window.user.click(window.getByRole('link', { name: 'Fleet' }));
    await run('describe a command');
    await window.findByRole('dialog', { name: 'Discard changes?' });
    await window.user.click(window.getByRole('button', { name: 'Discard changes' }));
    await waitFor(() => expect(window.getByRole('textbox', { name: 'Command name in messages' })).toHaveValue(''));
  });

  it('draws no form from a schema that the engine has not found to be one', async () => {
    const window = await openCatalogue();
    await window.user.click(await window.findByRole('button', { name: 'Describe a command' }));
    await window.findByRole('textbox', { name: /Level/ });
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
    expect(form.getByRole('textbox', { name: /Level/ })).toBeVisible();
    expect(form.queryByText(/left/)).toBeNull();
    asked.forEach((answer) => answer());
    await form.findByText('The form appears when the schema is valid.');
    expect(window.getByText('A part of it refers to itself.')).toBeVisible();
  });

  it('refuses a name that is taken or built in', async () => {
    const window = await openCatalogue();
    await window.app.catalogue.save(null, VALVE);
    for (const [name, why] of [
      ['valve.open', /A command 'valve.open' already exists/],
      ['led', /'led' is a built-in command/],
    ] as const) {
      await window.user.click(await window.findByRole('button', { name: 'Describe a command' }));
      await window.user.type(await window.findByRole('textbox', { name: 'Command name in messages' }), name);
      await window.user.click(window.getByRole('button', { name: 'Save' }));
      expect(await window.findByRole('alert')).toHaveTextContent(why);
      await window.user.click(window.getByRole('button', { name: 'Cancel' }));
      await window.user.click(window.getByRole('button', { name: 'Discard changes' }));
    }
  });

  it('asks before it removes a command', async () => {
    const window = await openCatalogue();
    await window.app.catalogue.save(null, VALVE);
    const article = within(await window.findByRole('article', { name: 'Open the valve' }));
    await window.user.click(article.getByRole('button', { name: 'Remove…' }));
    await window.user.click(await article.findByRole('button', { name: 'Remove' }));
    await waitFor(() => expect(window.app.catalogue.find('demo', 'valve.open')).toBeNull());
    await window.findByText('Removed Open the valve.');
  });

  it('takes commands from a file, and replaces nothing unasked', async () => {
    const window = await openCatalogue();
    await window.app.catalogue.save(null, { ...VALVE, name: 'calibrate', title: 'Level out' });
    await window.user.click(await window.findByRole('button', { name: 'Import…' }));
    const dialog = within(await window.findByRole('dialog', { name: 'Import commands' }));
    await window.user.click(dialog.getByRole('button', { name: 'Choose a file' }));
    await window.user.click(dialog.getByRole('button', { name: 'Preview' }));
    expect(await dialog.findByRole('alert')).toHaveTextContent(/is not a command catalogue that Wilco exported/);
    const path = dialog.getByRole('textbox', { name: 'Path of the file to read' });
    await window.user.clear(path);
    await window.user.type(path, '/home/you/pumps.json');
    await window.user.click(dialog.getByRole('button', { name: 'Preview' }));
    await dialog.findByText("It belongs to the connection 'plant', which does not exist here.");
    dialog.getByRole('button', { name: 'Import 1' });
    await expectAccessible(window.container);
    await window.user.click(dialog.getByRole('checkbox', { name: 'Replace yours: calibrate' }));
    await window.user.click(dialog.getByRole('button', { name: 'Import 2' }));
    await dialog.findByText('Imported Calibrate, Level 3.');
    await window.user.click(dialog.getByRole('button', { name: 'Done' }));
    expect(window.app.catalogue.buttons.map(({ label }) => label)).toEqual(['Level 3']);
    await window.user.click(window.getByRole('button', { name: 'Import…' }));
    await window.user.type(window.getByRole('textbox', { name: 'Path of the file to read' }), '/home/you/pumps.json');
    await window.user.click(window.getByRole('button', { name: 'Preview' }));
    expect(await window.findByRole('button', { name: 'Nothing to import' })).toBeDisabled();
    expect(window.app.catalogue.find('demo', 'calibrate')?.definition.title).toBe('Calibrate');
    await window.user.click(window.getByRole('button', { name: 'Export…' }));
    await window.findByText('Exported to /home/you/commands.json.');
  });
});
