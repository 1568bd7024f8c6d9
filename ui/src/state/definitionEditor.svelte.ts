import type { CatalogueEntry } from '../backend/bindings/CatalogueEntry';
import type { CommandDefinition } from '../backend/bindings/CommandDefinition';
import type { CommandPreview } from '../backend/bindings/CommandPreview';
import type { Failure } from '../backend/bindings/Failure';
import { BLANK } from '../format/definition';
import { indented, isObject, readJson, toJson } from '../format/json';
import { complaints, type ArgumentsSchema, type SchemaError } from '../format/schema';
import { readSeconds, SECONDS_ALLOWED, secondsText } from '../format/span';
import type { Catalogue } from './catalogue.svelte';
import { failureOf } from './failure';
import { Throttle } from './throttle';

const FIRST: CommandDefinition = {
  ...BLANK,
  schema: toJson({
    type: 'object',
    properties: { level: { type: 'number', title: 'Level', minimum: 0, maximum: 10 } },
    required: ['level'],
  }),
};

/** A command that is being described. */
export class DefinitionEditor {
  readonly id: string | null;
  name = $state('');
  title = $state('');
  connection = $state<string | null>(null);
  schema = $state('');
  topic = $state('');
  payload = $state('');
  plain = $state(false);
  timeout = $state('');
  ttl = $state('');
  safe = $state(false);
  dangerous = $state(false);
  answered = $state(true);
  icon = $state('send');
  /** It was to be saved, so what is missing is said. */
  checked = $state(false);
  saving = $state(false);
  preview = $state.raw<CommandPreview | null>(null);
  /** The source of the form: the last valid schema. */
  drawn = $state.raw<ArgumentsSchema | null>(null);
  /** The values of its form, for the preview. */
  entered = $state.raw<Record<string, unknown>>({});
  /** The preview's arguments are an example. */
  madeUp = $state(true);
  failure = $state.raw<Failure | null>(null);

  readonly read = $derived(readJson(this.schema));
  /** The schema as far as it makes an object. */
  readonly readable: ArgumentsSchema | null = $derived(
    this.read.ok && isObject(this.read.value) ? this.read.value : null,
  );
  readonly wrong: SchemaError[] = $derived(this.drawn === null ? [] : complaints(this.drawn, this.entered));
  /** The arguments of the preview; null if the form is empty, invalid, or of an earlier schema. */
  readonly args = $derived(
    this.drawn === this.readable && this.wrong.length === 0 && Object.keys(this.entered).length > 0
      ? this.entered
      : null,
  );
  /** The text was changed. */
  readonly unsaved = $derived.by(() => this.#written() !== this.#first);
  readonly #first: string;
  readonly #ask = new Throttle(250, () => void this.#look());
  #question = 0;

  constructor(
    readonly catalogue: Catalogue,
    entry: CatalogueEntry | null,
    /** A copy of a built-in command or of one's own. */
    copied = false,
  ) {
    const given = entry?.definition ?? FIRST;
    this.id = copied || entry === null ? null : entry.id;
    this.name = copied ? `${given.name}.copy` : given.name;
    this.title = copied ? `${given.title} copy` : given.title;
    this.connection = given.connection;
    this.schema = indented(given.schema);
    this.topic = given.topic ?? '';
    this.payload = given.payload ?? '';
    this.plain = given.plain;
    this.timeout = secondsText(given.timeout_ms);
    this.ttl = secondsText(given.ttl_ms);
    this.safe = given.safe_to_repeat;
    this.dangerous = given.dangerous;
    this.answered = given.answer_expected;
    this.icon = given.icon;
    this.#first = this.#written();
  }

  /** Its name until it is saved. */
  get called(): string {
    return [this.title, this.name].find((text) => text.trim() !== '') ?? 'New command';
  }

  get wrongSchema(): string | null {
    const { read } = this;
    if (!read.ok) return `Line ${read.line}, column ${read.column}: ${read.why}`;
    if (this.readable === null) return 'A schema is an object: {"type": "object", "properties": { … }}.';
    return this.preview?.drawable === false ? (this.preview.problems.at(-1) ?? null) : null;
  }

  get wrongTimeout(): string | null {
    return readSeconds(this.timeout) === null ? SECONDS_ALLOWED : null;
  }

  get wrongTtl(): string | null {
    return readSeconds(this.ttl) === null ? SECONDS_ALLOWED : null;
  }

  /** Further errors from the engine, except missing values. */
  get problems(): string[] {
    const { preview } = this;
    if (preview === null || this.name.trim() === '') return [];
    // An error of the schema is the last of them, and is shown at its field.
    return preview.drawable ? preview.problems : preview.problems.slice(0, -1);
  }

  /** Why it could not be kept, where no field says so. */
  get refused(): Failure | null {
    return this.failure?.message === this.wrongSchema ? null : this.failure;
  }

  /** The description; nothing while its schema cannot be read. */
  get definition(): CommandDefinition | null {
    if (this.readable === null) return null;
    const given = (text: string) => (text.trim() === '' ? null : text);
    return {
      name: this.name,
      title: this.title === '' ? this.name : this.title,
      connection: this.connection,
      schema: this.schema,
      topic: given(this.topic),
      payload: given(this.payload),
      plain: this.plain,
      timeout_ms: readSeconds(this.timeout) ?? 10_000,
      ttl_ms: readSeconds(this.ttl) ?? 60_000,
      safe_to_repeat: this.safe,
      dangerous: this.dangerous,
      answer_expected: this.answered,
      icon: this.icon,
    };
  }

  /** Its form has changed. */
  fill(entered: Record<string, unknown>): void {
    if (toJson(entered) !== toJson(this.entered)) this.entered = entered;
  }

  /** Asks how it would go out now. */
  look(): void {
    // Why it could not be kept was said of what it was before.
    this.failure = null;
    this.#ask.ask();
  }

  /** Keeps it. Nothing where it could not be kept. */
  async save(): Promise<CatalogueEntry | null> {
    this.checked = true;
    const { definition } = this;
    if (definition === null || definition.name === '' || this.saving) return null;
    if (this.wrongTimeout !== null || this.wrongTtl !== null) return null;
    this.saving = true;
    this.failure = null;
    try {
      return await this.catalogue.save(this.id, definition);
    } catch (reason) {
      this.failure = failureOf(reason);
      return null;
    } finally {
      this.saving = false;
    }
  }

  #written(): string {
    const { name, title, connection, schema, topic, payload, plain, timeout, ttl, safe, dangerous, answered, icon } =
      this;
    return JSON.stringify([
      [name, title, connection, schema, topic, payload, plain],
      [timeout, ttl, safe, dangerous, answered, icon],
    ]);
  }

  async #look(): Promise<void> {
    const { definition, readable, args } = this;
    if (definition === null) return;
    const question = ++this.#question;
    try {
      const preview = await this.catalogue.preview({
        definition,
        connection: null,
        device: null,
        args: args && toJson(args),
      });
      if (question !== this.#question) return;
      this.preview = preview;
      this.madeUp = args === null;
      this.drawn = preview.drawable ? readable : null;
    } catch (reason) {
      if (question === this.#question) this.failure = failureOf(reason);
    }
  }
}
