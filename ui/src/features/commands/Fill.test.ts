import { fireEvent, waitFor, within } from '@testing-library/svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';

import type { NewCommand } from '../../backend/bindings/NewCommand';
import { expectAccessible, openFleet } from '../../test/window';
import { BLANK } from '../../format/definition';
import { objectFrom, toJson } from '../../format/json';

// It is fetched when it is wanted first, which a busy machine takes its time for.
beforeAll(() => import('./CommandDialog.svelte'), 120_000);

/** A command with arguments of that schema, opened for bench-0001. */
async function openForm(schema: Record<string, unknown>, args: string | null = null) {
  const window = await openFleet();
  const sent: NewCommand[] = [];
  const original = window.backend.send.bind(window.backend);
  window.backend.send = (command) => {
    sent.push(command);
    return original(command);
  };
  const definition = { ...BLANK, name: 'tune', title: 'Tune', schema: toJson({ type: 'object', ...schema }) };
  const entry = await window.app.catalogue.save(null, definition);
  const targets = { connection: 'demo', devices: ['bench-0001'], offline: [] };
  window.app.composer.open(targets, { kind: 'known', entry }, args === null ? null : objectFrom(args));
  const form = within(await window.findByRole('dialog', { name: 'Command for bench-0001' }));
  await form.findByRole('heading', { name: 'Tune' });
  const send = () => window.user.click(form.getByRole('button', { name: 'Send' }));
  return { ...window, sent, form, send };
}

describe('a colour', () => {
  const rgb = { type: 'string', title: 'Colour', format: 'color', notation: 'rgb', pattern: '^[0-9]+,[0-9]+,[0-9]+$' };
  const number = { type: 'number', minimum: 0, maximum: 1 };
  const xy = { type: 'object', title: 'Colour', format: 'color', notation: 'xy object', required: ['x', 'y'] };

  it.each([
    [rgb, '"255,128,0"', '255,128,0'],
    [{ ...rgb, notation: 'hsb' }, '"30,100,100"', '30,100,100'],
    [{ type: 'string', title: 'Colour', format: 'color', notation: 'hex' }, '"FF8000"', 'FF8000'],
    [{ type: 'string', title: 'Colour', format: 'color' }, '"#ff8000"', '#ff8000'],
    [{ ...xy, properties: { x: number, y: number } }, '{"x":0.543,"y":0.407}', '0.543, 0.407'],
    [{ ...xy, notation: 'rgb object', required: [] }, '{"r":255,"g":128,"b":0}', '255, 128, 0'],
    [{ ...xy, notation: 'short hs object', required: [] }, '{"h":30,"s":100}', '30, 100'],
    [{ type: 'array', title: 'Colour', format: 'color', notation: 'rgb list' }, '[255,128,0]', '255, 128, 0'],
  ])('is picked, shown as text and sent in the notation of its device: %j', async (schema, meant, text) => {
    const { form, send, sent, container } = await openForm({ properties: { colour: schema } });
    const pick = await form.findByLabelText('Pick Colour');
    expect(pick).toHaveAttribute('type', 'color');
    await fireEvent.input(pick, { target: { value: '#ff8000' } });
    await waitFor(() => expect(form.getByRole('textbox', { name: 'Colour' })).toHaveValue(text));
    await expectAccessible(container);
    await send();
    await waitFor(() => expect(sent[0]?.args).toBe(`{"colour":${meant}}`));
  });

  it('is typed where that is easier, and what is none is not sent', async () => {
    const { form, send, sent, user } = await openForm({ properties: { colour: rgb }, required: ['colour'] });
    const typed = await form.findByRole('textbox', { name: /^Colour/ });
    await send();
    await waitFor(() => expect(typed).toHaveAccessibleDescription('Required.'));
    await user.type(typed, 'orange');
    await waitFor(() => expect(typed).toHaveAccessibleDescription('This is not a valid colour in this format.'));
    expect(typed).toBeInvalid();
    await send();
    expect(sent).toEqual([]);
    await user.clear(typed);
    await user.type(typed, '1, 2, 3');
    expect(typed).toHaveValue('1, 2, 3');
    expect(form.getByLabelText(/^Pick Colour/)).toHaveValue('#010203');
    await send();
    await waitFor(() => expect(sent[0]?.args).toBe('{"colour":"1,2,3"}'));
  });
});

describe('a number', () => {
  it.each([
    ['integer', '1.5', 'Must be a whole number.'],
    ['integer', 'abc', 'Must be a whole number.'],
    ['number', 'abc', 'Must be a number.'],
    ['number', '1,5', 'Must be a number.'],
  ])('of type %s stays as it was typed (%s), and says: %s', async (type, typed, why) => {
    const { form, send, sent, user, container } = await openForm({ properties: { level: { type, title: 'Level' } } });
    const level = await form.findByRole('textbox', { name: 'Level' });
    await user.type(level, typed);
    expect(level).toHaveValue(typed);
    await waitFor(() => expect(level).toHaveAccessibleDescription(why));
    expect(level).toBeInvalid();
    await send();
    expect(sent).toEqual([]);
    await expectAccessible(container);
  });

  it.each([
    ['integer', '12', '12'],
    ['integer', '-3', '-3'],
    ['integer', '4.0', '4.0'],
    ['integer', '12345678901234567890', '12345678901234567890'],
    ['integer', '1e999', '1e999'],
    ['number', '.5', '0.5'],
    ['number', '+07.50', '7.50'],
    ['number', '1e3', '1e3'],
    ['number', '0.30000000000000000001', '0.30000000000000000001'],
  ])('of type %s goes out to the last digit: %s', async (type, typed, meant) => {
    const { form, send, sent, user } = await openForm({ properties: { level: { type, title: 'Level' } } });
    const level = await form.findByRole('textbox', { name: 'Level' });
    await user.type(level, typed);
    expect(level).toHaveValue(typed);
    await send();
    await waitFor(() => expect(sent[0]?.args).toBe(`{"level":${meant}}`));
  });

  it('pasted over another is not the one that was there', async () => {
    const { form, send, sent, user } = await openForm({
      properties: { level: { type: 'integer', title: 'Level', default: 9 } },
    });
    const level = await form.findByRole('textbox', { name: 'Level' });
    expect(level).toHaveValue('9');
    await user.tripleClick(level);
    await user.paste('3.7');
    expect(level).toHaveValue('3.7');
    await send();
    expect(sent).toEqual([]);
    expect(level).toHaveFocus();
  });

  it('of a list moves with its item', async () => {
    const list = { type: 'array', title: 'Steps', items: { type: 'number', title: 'At' }, default: [1, 2] };
    const { form, send, sent, user } = await openForm({ properties: { steps: list } });
    const [first] = await form.findAllByRole('textbox', { name: /^At/ });
    await user.clear(first as HTMLElement);
    await user.type(first as HTMLElement, '7.50');
    await user.click(form.getAllByRole('button', { name: 'Down' })[0] as HTMLElement);
    await waitFor(() =>
      expect(
        form.getAllByRole('textbox', { name: /^At/ }).map((field) => Number((field as HTMLInputElement).value)),
      ).toEqual([2, 7.5]),
    );
    await send();
    await waitFor(() => expect(sent[0]?.args).toBe('{"steps":[2,7.50]}'));
  });
});

describe('the numbers of a schema', () => {
  const LEVEL = '"type":"integer","title":"Level","minimum":10000000000000000000001,"default":10000000000000000000002';

  it('are limits and defaults to the last digit', async () => {
    const gain = '"type":"number","title":"Gain","default":1.0,"examples":[0.10]';
    const schema = objectFrom(`{"properties":{"level":{${LEVEL}},"gain":{${gain}}}}`);
    const { form, send, sent, user, container } = await openForm(schema);
    const level = await form.findByRole('textbox', { name: 'Level' });
    expect(level).toHaveValue('10000000000000000000002');
    const suggested = [...container.querySelectorAll('datalist option')].map((one) => one.getAttribute('value'));
    expect(suggested).toEqual(['1.0', '0.10']);
    await user.clear(level);
    await user.type(level, '10000000000000000000000');
    await waitFor(() => expect(level).toHaveAccessibleDescription('At least 10000000000000000000001.'));
    await send();
    expect(sent).toEqual([]);
    await user.clear(level);
    await user.type(level, '10000000000000000000001');
    await send();
    await waitFor(() => expect(sent[0]?.args).toBe('{"level":10000000000000000000001,"gain":1.0}'));
  });

  const CHOICES = objectFrom(
    `{"properties":{"scale":{"title":"Scale","enum":[1e10,0.1000000000000000000001]},
      "mode":{"title":"Mode","oneOf":[{"const":1.0},{"const":2,"title":"Two"}]},
      "steps":{"title":"Steps","type":"array","uniqueItems":true,"items":{"enum":[1.50,2]}}}}`,
  );

  it('are options to the last digit', async () => {
    const { form, send, sent, user, container } = await openForm(CHOICES);
    const scale = await form.findByRole('combobox', { name: 'Scale' });
    const options = within(scale).getAllByRole('option');
    expect(options.map((option) => option.textContent?.trim())).toEqual(['', '1e10', '0.1000000000000000000001']);
    await user.selectOptions(scale, '0.1000000000000000000001');
    await user.selectOptions(form.getByRole('combobox', { name: 'Mode' }), '1.0');
    await user.click(form.getByRole('checkbox', { name: '1.50' }));
    await expectAccessible(container);
    await send();
    await waitFor(() => expect(sent[0]?.args).toBe('{"scale":0.1000000000000000000001,"mode":1.0,"steps":[1.50]}'));
  });

  it('are options also of values that are written otherwise', async () => {
    const { form, send, sent } = await openForm(CHOICES, '{"scale":10000000000,"mode":1,"steps":[1.5]}');
    expect(await form.findByRole('combobox', { name: 'Scale' })).toHaveDisplayValue('1e10');
    expect(form.getByRole('combobox', { name: 'Mode' })).toHaveDisplayValue('1.0');
    expect(form.getByRole('checkbox', { name: '1.50' })).toBeChecked();
    await send();
    await waitFor(() => expect(sent[0]?.args).toBe('{"scale":10000000000,"mode":1,"steps":[1.5]}'));
  });
});

describe('a moment', () => {
  it.each([
    ['date-time', '2026-11-20T11:43', '2026-11-20T11:43:00Z', '2026-11-20T11:43:00+01:00'],
    ['time', '11:43', '11:43:00Z', '11:43:00Z'],
  ])('of format %s is written as text', async (format, typed, example, right) => {
    const at = { type: 'string', format, title: 'At', description: 'When it begins.' };
    const { form, send, sent, user } = await openForm({ properties: { at } });
    const field = await form.findByRole('textbox', { name: 'At' });
    expect(field).toHaveAttribute('type', 'text');
    expect(field).toHaveAccessibleDescription(`When it begins. Format: ${example}.`);
    await user.type(field, typed);
    await waitFor(() => expect(field).toHaveAccessibleDescription(new RegExp(`Not a valid ${format}. Write it as`)));
    await send();
    expect(sent).toEqual([]);
    await user.clear(field);
    await user.type(field, right);
    await send();
    await waitFor(() => expect(sent[0]?.args).toBe(JSON.stringify({ at: right })));
  });

  it('that is a date has the field that the system has for it', async () => {
    const { form, send, sent, user } = await openForm({
      properties: { day: { type: 'string', format: 'date', title: 'Day' } },
    });
    const day = await form.findByLabelText('Day');
    expect(day).toHaveAttribute('type', 'date');
    await user.type(day, '2026-11-20');
    await send();
    await waitFor(() => expect(sent[0]?.args).toBe(JSON.stringify({ day: '2026-11-20' })));
  });
});

describe('nested values', () => {
  const zone = { type: 'string', title: 'Zone' };
  const gain = { type: 'number', title: 'Gain', default: 0.5 };

  it('has its defaults', async () => {
    const { form, send, sent } = await openForm({
      properties: { filter: { type: 'object', title: 'Filter', properties: { gain, zone } } },
    });
    expect(await form.findByRole('textbox', { name: 'Gain' })).toHaveValue('0.5');
    await send();
    await waitFor(() => expect(sent[0]?.args).toBe(JSON.stringify({ filter: { gain: 0.5 } })));
  });

  it('is gone to where it is needed', async () => {
    const { form, send, sent, user, container } = await openForm({
      properties: {
        note: { type: 'string', title: 'Note' },
        where: { type: 'object', title: 'Where', properties: { zone, floor: { type: 'integer', title: 'Floor' } } },
        tags: { type: 'array', title: 'Tags', items: { type: 'string', title: 'Tag' }, minItems: 1 },
      },
      required: ['where', 'tags'],
    });
    expect(await form.findByText(/^Where/)).toHaveTextContent('Where *');
    expect(form.getByText(/^Tags/)).toHaveTextContent('Tags *');
    expect(form.getByText('Note')).not.toHaveTextContent('*');
    await send();
    expect(sent).toEqual([]);
    await waitFor(() => expect(form.getByRole('textbox', { name: 'Zone' })).toHaveFocus());
    await expectAccessible(container);
    await user.keyboard('kitchen');
    await send();
    expect(sent).toEqual([]);
    await waitFor(() => expect(form.getByRole('button', { name: 'Add an item' })).toHaveFocus());
  });
});

describe('an abandoned input', () => {
  const schema = { properties: { level: { type: 'integer', title: 'Level', default: 5 }, on: { type: 'boolean' } } };

  async function reopen(window: Awaited<ReturnType<typeof openForm>>, device = 'bench-0001') {
    const entry = window.app.catalogue.find('demo', 'tune');
    if (!entry) throw new Error('It is not known any more.');
    window.app.composer.open({ connection: 'demo', devices: [device], offline: [] }, { kind: 'known', entry });
    return within(await window.findByRole('dialog', { name: `Command for ${device}` }));
  }

  it('by Escape is kept for the same command and device, and that is said', async () => {
    const window = await openForm(schema);
    await window.user.type(await window.form.findByRole('textbox', { name: 'Level' }), '0');
    await window.user.keyboard('{Escape}');
    expect(window.queryByRole('dialog')).toBeNull();
    await window.findByText('Your input for Tune was kept. Open the form again to continue.');
    const other = await reopen(window, 'bench-0002');
    expect(await other.findByRole('textbox', { name: 'Level' })).toHaveValue('5');
    await window.user.keyboard('{Escape}');
    const again = await reopen(window);
    expect(await again.findByRole('textbox', { name: 'Level' })).toHaveValue('50');
    again.getByText(/Restored/);
    await expectAccessible(window.container);
    await window.user.click(again.getByRole('button', { name: 'Start over' }));
    await waitFor(() => expect(again.getByRole('textbox', { name: 'Level' })).toHaveValue('5'));
    expect(again.queryByText(/Restored/)).toBeNull();
  });

  it('by a click beside it, or by going back, is kept too', async () => {
    const window = await openForm(schema);
    await window.user.type(await window.form.findByRole('textbox', { name: 'Level' }), '0');
    await window.user.click(window.form.getByRole('button', { name: 'Choose another command' }));
    await window.user.keyboard('tune{Enter}');
    expect(await window.form.findByRole('textbox', { name: 'Level' })).toHaveValue('50');
    await window.user.click(window.getByRole('dialog'));
    expect(window.queryByRole('dialog')).toBeNull();
    const again = await reopen(window);
    expect(await again.findByRole('textbox', { name: 'Level' })).toHaveValue('50');
    await window.user.click(again.getByRole('button', { name: 'Send' }));
    await waitFor(() => expect(window.sent[0]?.args).toBe(JSON.stringify({ level: 50 })));
    const sent = await reopen(window);
    expect(await sent.findByRole('textbox', { name: 'Level' })).toHaveValue('5');
  });

  it('is discarded by its button, without a notice if nothing was filled in', async () => {
    const window = await openForm(schema);
    await window.form.findByRole('textbox', { name: 'Level' });
    expect(window.app.composer.isFilled).toBe(false);
    await window.user.keyboard('{Escape}');
    expect(window.app.notices.list).toEqual([]);
    const again = await reopen(window);
    await window.user.type(await again.findByRole('textbox', { name: 'Level' }), '0');
    expect(window.app.composer.isFilled).toBe(true);
    await window.user.click(again.getByRole('button', { name: 'Cancel' }));
    expect(await (await reopen(window)).findByRole('textbox', { name: 'Level' })).toHaveValue('5');
  });
});

describe('a timeout', () => {
  it('is the suggested one when that is used, and goes with the command', async () => {
    const { app, form, user, sent, backend, findByRole } = await openForm({});
    const field = form.getByRole('textbox', { name: 'Timeout, seconds' });
    await user.type(field, '0');
    await form.findByText('Enter a number of seconds above 0.');
    expect(form.queryByText(/^Suggested timeout/)).not.toBeInTheDocument();
    await user.clear(field);
    await user.click(form.getByRole('button', { name: 'Cancel' }));

    const asked = vi.spyOn(backend, 'suggestedTimeout');
    asked.mockResolvedValue({ timeout_ms: 3_000, count: 40, p99_ms: 820, of_device: true });
    const entry = app.catalogue.find('demo', 'tune');
    if (entry === null) throw new Error('it is saved');
    app.composer.open({ connection: 'demo', devices: ['bench-0001'], offline: [] }, { kind: 'known', entry });
    const again = within(await findByRole('dialog', { name: 'Command for bench-0001' }));
    await again.findByText(
      /^Suggested timeout: 3 s\. 99 % of the latest 40 answers of this device took up to 820 ms\./,
    );
    expect(asked.mock.lastCall).toEqual(['demo', 'bench-0001', 'tune']);
    await user.click(again.getByRole('button', { name: 'Use 3 s' }));
    await user.click(again.getByRole('button', { name: 'Undo' }));
    await user.click(await again.findByRole('button', { name: 'Use 3 s' }));
    await user.click(again.getByRole('button', { name: 'Send' }));
    await waitFor(() => expect(sent[0]?.timeout_ms).toBe(3_000));
  });
});
