/** How long the devices of a connection usually take to answer, and the timeouts that their answers suggest. */

import type { CatalogueEntry } from '../../backend/bindings/CatalogueEntry';
import type { Failure } from '../../backend/bindings/Failure';
import type { TimesBy } from '../../backend/bindings/TimesBy';
import type { TimesView } from '../../backend/bindings/TimesView';
import { secondsText } from '../../format/span';
import { visible } from '../../format/text';
import type { Backend } from '../../state/backend';
import type { Catalogue } from '../../state/catalogue.svelte';
import { failureOf } from '../../state/failure';
import type { Undo } from '../../state/undo.svelte';
import type { Settings } from '../settings/engineSettings.svelte';

/**
 * Where a suggested timeout can be applied: to a user's own command, as the default of commands that are not in the catalogue,
 * or to a single rollout. Built-in commands have fixed timeouts, and one command must not shorten the default of others.
 */
type Suggestion =
  | { use: 'own'; entry: CatalogueEntry; ms: number }
  | { use: 'default'; before: number; ms: number }
  | { use: 'rollout'; ms: number }
  | { use: 'none'; ms: number };

export class UsualTimes {
  by = $state<TimesBy>('command');
  /** Null while they are being read. */
  times = $state.raw<readonly TimesView[] | null>(null);
  failure = $state.raw<Failure | null>(null);
  readonly answers = $derived((this.times ?? []).reduce((all, { count }) => all + count, 0));
  #asked = 0;

  constructor(
    readonly backend: Backend,
    readonly connection: string,
    readonly catalogue: Catalogue,
    readonly settings: Settings,
    readonly undo: Undo,
  ) {}

  async show(by: TimesBy): Promise<void> {
    this.by = by;
    this.times = null;
    const asked = ++this.#asked;
    try {
      if (this.settings.kept === null) await this.settings.load();
      const times = await this.backend.answerTimes({ connection: this.connection, device: null, by });
      if (asked !== this.#asked) return;
      this.times = times;
      this.failure = null;
    } catch (reason) {
      if (asked === this.#asked) this.failure = failureOf(reason);
    }
  }

  /** What the answers to a command suggest, and what it can be used for; null where they are too few. */
  suggestion({ name, suggested_timeout_ms: ms }: TimesView): Suggestion | null {
    const { kept } = this.settings;
    if (this.by !== 'command' || name === null || ms === null || kept === null) return null;
    const entry = this.catalogue.find(this.connection, name);
    const before = entry?.definition.timeout_ms ?? kept.timeout_s * 1_000;
    if (before === ms) return { use: 'none', ms };
    if (entry !== null) return entry.built_in ? { use: 'rollout', ms } : { use: 'own', entry, ms };
    return ms > before ? { use: 'default', before, ms } : { use: 'rollout', ms };
  }

  /** Keeps a suggested timeout. It can be undone. */
  async keep(suggestion: Suggestion): Promise<void> {
    this.failure = null;
    try {
      if (suggestion.use === 'own') await this.#keepOfCommand(suggestion.entry, suggestion.ms);
      if (suggestion.use === 'default') await this.#keepAsDefault(suggestion.before, suggestion.ms);
    } catch (reason) {
      this.failure = failureOf(reason);
    }
  }

  async #keepOfCommand({ id, definition }: CatalogueEntry, ms: number): Promise<void> {
    const title = visible(definition.title);
    const before = definition.timeout_ms;
    await this.catalogue.save(id, { ...definition, timeout_ms: ms });
    this.undo.offer(`Timeout of ${title}: ${secondsText(ms)} s instead of ${secondsText(before)} s.`, async () => {
      const now = this.catalogue.entries.find((entry) => entry.id === id)?.definition ?? definition;
      await this.catalogue.save(id, { ...now, timeout_ms: before });
      return `Timeout of ${title}: ${secondsText(before)} s again.`;
    });
  }

  async #keepAsDefault(before: number, ms: number): Promise<void> {
    const refusal = await this.#change(ms);
    if (refusal !== null) {
      this.failure = { code: 'invalid', message: refusal, hint: null };
      return;
    }
    this.undo.offer(
      `Default timeout: ${secondsText(ms)} s instead of ${secondsText(before)} s.`,
      async () => (await this.#change(before)) ?? `Default timeout: ${secondsText(before)} s again.`,
    );
  }

  /** Changes the default timeout; why not, where it was not changed. */
  async #change(ms: number): Promise<string | null> {
    if (await this.settings.change('timeout_s', ms / 1_000)) return null;
    return this.settings.wrong.timeout_s ?? 'The default timeout was not saved.';
  }
}
