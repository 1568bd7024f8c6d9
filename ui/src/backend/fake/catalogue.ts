/** The commands of the invented engine: built-in and user-defined ones. */

import type { CatalogueEntry } from '../bindings/CatalogueEntry';
import type { CommandButton } from '../bindings/CommandButton';
import type { CommandDefinition } from '../bindings/CommandDefinition';
import type { CommandPreview } from '../bindings/CommandPreview';
import type { CommandToPreview } from '../bindings/CommandToPreview';
import type { ImportLine } from '../bindings/ImportLine';
import { failure } from './failure';
import recorded from './recorded.json';
import { BLANK } from '../../format/definition';
import { refusedTemplate, written } from './template';
import { fromJson, isObject, objectFrom, readJson, toJson } from '../../format/json';

const PLAIN: CommandDefinition = { ...BLANK, safe_to_repeat: true };

const members = (properties: Record<string, unknown>, required: string[] = []) =>
  toJson({ type: 'object', properties, required, additionalProperties: false });

const BUILT_IN: CatalogueEntry[] = recorded.catalogue;

export class FakeCatalogue {
  #own: CatalogueEntry[] = [];
  #buttons: CommandButton[] = [];
  #last = 0;

  entries(): CatalogueEntry[] {
    return [...BUILT_IN, ...[...this.#own].sort((a, b) => a.definition.name.localeCompare(b.definition.name))];
  }

  find(connection: string, name: string): CommandDefinition | undefined {
    const named = this.entries().filter(({ definition }) => definition.name === name);
    const own = named.find(({ definition }) => definition.connection === connection);
    return (own ?? named.find(({ definition }) => definition.connection === null))?.definition;
  }

  save(id: string | null, definition: CommandDefinition): CatalogueEntry {
    const [problem] = problems(definition);
    if (problem !== undefined) throw failure('invalid', problem, 'Correct it and save it again.');
    const { name, connection } = definition;
    const taken = this.#own.some(
      (other) => other.id !== id && other.definition.name === name && other.definition.connection === connection,
    );
    if (taken)
      throw failure(
        'invalid',
        `A command '${name}' already exists for the same connections.`,
        'Choose another name, or edit the existing command.',
      );
    if (id !== null && !this.#own.some((other) => other.id === id)) throw this.#missing(id);
    const schema = toJson(fromJson(definition.schema));
    const entry = { id: id ?? this.#id(), built_in: false, definition: { ...definition, schema } };
    this.#own = [...this.#own.filter((other) => other.id !== entry.id), entry];
    return entry;
  }

  remove(id: string): void {
    if (!this.#own.some((other) => other.id === id)) throw this.#missing(id);
    this.#own = this.#own.filter((other) => other.id !== id);
  }

  preview({ definition, device, args }: CommandToPreview): CommandPreview {
    const known = {
      device: device ?? 'device-1',
      command: definition.name,
      args: args === null ? example(definition.schema) : objectFrom(args),
    };
    const native = toJson({ id: SAMPLE_ID, command: known.command, args: known.args });
    return {
      topic: definition.topic === null ? `${known.device}/req` : written(definition.topic, known, true),
      payload: definition.payload === null ? native : written(definition.payload, known, definition.plain),
      carries_id: definition.payload?.includes('{id}') ?? true,
      drawable: wrongSchema(definition.schema) === null,
      problems: problems(definition),
      remarks: remarks(definition),
    };
  }

  /** The file at any path has two commands, the second of which is for a connection that is not here, and a button. */
  read(path: string): ImportLine[] {
    if (!path.endsWith('.json'))
      throw failure(
        'file',
        `${path} is not a command catalogue that Wilco exported.`,
        'Choose a file that was exported under Commands. To import connections, use Connections.',
      );
    const here = this.#own.find(({ definition }) => definition.name === IMPORTED.name);
    const same = here !== undefined && here.definition.title === IMPORTED.title;
    const change = here === undefined ? 'new' : same ? 'same' : 'changed';
    return [
      { kind: 'command', name: IMPORTED.name, title: IMPORTED.title, connection: null, change, why: null },
      {
        kind: 'command',
        name: 'flush',
        title: 'Flush',
        connection: 'plant',
        change: 'refused',
        why: "It belongs to the connection 'plant', which does not exist here.",
      },
      {
        kind: 'button',
        name: LEVEL_3.label,
        title: LEVEL_3.command,
        connection: null,
        change: this.#buttons.some(({ label }) => label === LEVEL_3.label) ? 'same' : 'new',
        why: null,
      },
    ];
  }

  import(path: string, replace: string[]): ImportLine[] {
    const taken = this.read(path).filter(
      ({ name, change }) => change === 'new' || (change === 'changed' && replace.includes(name)),
    );
    const here = this.#own.find(({ definition }) => definition.name === IMPORTED.name);
    for (const { kind } of taken) {
      if (kind === 'button') this.saveButton(LEVEL_3);
      else this.save(here?.id ?? null, IMPORTED);
    }
    return taken;
  }

  export(ids: string[]): void {
    if (this.#own.length + this.#buttons.length === 0)
      throw failure(
        'invalid',
        'There are no commands or buttons to export.',
        'Add a command first. Built-in commands are not exported.',
      );
    for (const id of ids) if (!this.#own.some((other) => other.id === id)) throw this.#missing(id);
  }

  buttons(): CommandButton[] {
    return this.#buttons;
  }

  saveButton(button: CommandButton): CommandButton {
    if (button.label.trim() === '')
      throw failure('invalid', 'The button has no label.', 'Enter a label, for example Open the valve.');
    const saved = { ...button, id: button.id === '' ? this.#id() : button.id };
    const known = this.#buttons.some(({ id }) => id === saved.id);
    this.#buttons = known
      ? this.#buttons.map((other) => (other.id === saved.id ? saved : other))
      : [...this.#buttons, saved];
    return saved;
  }

  orderButtons(ids: string[]): void {
    this.#buttons = [...this.#buttons].sort((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id));
  }

  removeButton(id: string): void {
    this.#buttons = this.#buttons.filter((other) => other.id !== id);
  }

  #id(): string {
    this.#last += 1;
    return `own-${this.#last}`;
  }

  #missing(id: string) {
    return failure('not_found', `There is no command of your own '${id}'.`, null);
  }
}

const SAMPLE_ID = '0198f3c2-7d1e-7c2a-9c55-1f2e3d4c5b6a';

const IMPORTED: CommandDefinition = {
  ...PLAIN,
  name: 'calibrate',
  title: 'Calibrate',
  icon: 'gauge',
  schema: members({ level: { type: 'number', title: 'Level', minimum: 0, maximum: 10 } }, ['level']),
};

const LEVEL_3: CommandButton = {
  id: '',
  connection: null,
  label: 'Level 3',
  icon: 'gauge',
  command: IMPORTED.name,
  args: '{"level":3}',
  no_answer: false,
};

function problems(definition: CommandDefinition): string[] {
  const { name, schema, topic, payload, plain } = definition;
  const out: string[] = [];
  if (name.trim() === '')
    out.push('The command has no name. Enter the name that the device expects, such as calibrate.');
  else if (/\s/.test(name))
    out.push('The name contains a space. Use a single word, and put a readable name in the title.');
  else if (BUILT_IN.some((entry) => entry.id === name))
    out.push(`'${name}' is a built-in command. Duplicate it and choose another name for the copy.`);
  const template = refusedTemplate(topic, payload, plain);
  if (template !== null) out.push(template);
  const wrong = wrongSchema(schema);
  if (wrong !== null) out.push(wrong);
  return out;
}

function wrongSchema(text: string): string | null {
  const read = readJson(text);
  if (!read.ok || !isObject(read.value))
    return 'The schema is not a JSON object. An empty object, {}, allows any arguments.';
  return (read.value['type'] ?? 'object') === 'object'
    ? null
    : 'The schema does not describe an object, but arguments are an object. Write "type": "object".';
}

/** Of arguments that stand between quotes nothing is said, as in a template that the schema rules out. */
function remarks({ schema, payload, plain }: CommandDefinition): string[] {
  const { properties = {}, required = [] } = objectFrom(schema) as { properties?: object; required?: string[] };
  const values = plain
    ? []
    : [...(payload ?? '').matchAll(/(?<!"[^":,]*)\{args\.(\w+)\}/g)].map(([, name]) => name ?? '');
  const optional = values.filter((name) => name in properties && !required.includes(name));
  return optional.length === 0 ? [] : [`Sent as null if left empty: ${optional.join(', ')}.`];
}

function example(schema: string): Record<string, unknown> {
  const { properties } = objectFrom(schema) as { properties?: Record<string, Record<string, unknown>> };
  const value = (of: Record<string, unknown>) => {
    const [first] = (of['enum'] as unknown[] | undefined) ?? [];
    const plain = { boolean: true, string: 'text', object: {}, array: [] }[String(of['type'])];
    return of['default'] ?? first ?? plain ?? of['minimum'] ?? 1;
  };
  return Object.fromEntries(Object.entries(properties ?? {}).map(([name, of]) => [name, value(of)]));
}
