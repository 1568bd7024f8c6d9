import type { Backend } from '../backend/backend';
import type { ConnectionView } from '../backend/bindings/ConnectionView';
import type { DialectView } from '../backend/bindings/DialectView';
import type { FoundDialect } from '../backend/bindings/FoundDialect';
import type { MqttVersion } from '../backend/bindings/MqttVersion';
import type { OwnDialect } from '../backend/bindings/OwnDialect';
import type { Failure } from '../backend/bindings/Failure';
import type { Preset } from '../backend/bindings/Preset';
import type { PresetView } from '../backend/bindings/PresetView';
import type { Step } from '../backend/bindings/Step';
import { complaints, placeOf, type FormErrors, type Field, type Ground } from './formErrors';
import { failureOf } from './failure';
import { blankForm, entryOf, formOf, settle, withPreset, type Around } from './form';
import { Kit } from './kit.svelte';
import { Preflight } from './preflight.svelte';

export const PLACES = ['files', 'endpoint', 'topics', 'preflight', 'save'] as const;
export type Place = (typeof PLACES)[number];

/** The form of a new or edited connection, from its files to the keyring. */
export class Wizard {
  place = $state<Place>('files');
  /** The furthest place that was reached. */
  furthest = $state(0);
  form = $state(blankForm());
  presets = $state.raw<PresetView[]>([]);
  dialects = $state.raw<DialectView[]>([]);
  /** The dialect files of the connection that is changed. */
  ownDialects = $state.raw<OwnDialect[]>([]);
  /** Dialects that devices on the connection speak and that are not enabled on it; nothing before the search. */
  found = $state.raw<FoundDialect[] | null>(null);
  finding = $state(false);
  /** Errors are shown after the first attempt to continue. */
  checked = $state(false);
  saving = $state(false);
  failure = $state.raw<Failure | null>(null);
  keyringMissing = $state(false);
  readonly kit: Kit;
  readonly preflight: Preflight;
  readonly #blank: string;

  readonly around: Around = $derived.by(() => ({
    kit: this.kit.view && this.kit.view.items.length > 0 ? this.kit.view : null,
    kept: this.editing?.has ?? null,
    presets: this.presets,
    taken: this.taken(),
    named: this.editing?.devices_named ?? [],
  }));
  readonly settled = $derived.by(() => settle(this.form, this.around));
  readonly wrong: FormErrors = $derived.by(() => complaints(this.form, this.around));
  /** The entry as it would be tried now. */
  readonly entry = $derived.by(() => entryOf(this.form, this.around));
  /** The values that a test would use now. */
  readonly attempt = $derived.by(() => ({
    entry: this.entry,
    files: this.kit.view?.items.map(({ id }) => id) ?? [],
  }));
  /** The last preflight was of what would be saved now. */
  readonly tried = $derived.by(() => this.preflight.view !== null && this.preflight.isOf(this.attempt));
  readonly passed = $derived.by(() => this.tried && this.preflight.view?.ok === true);
  readonly unsaved = $derived.by(() => this.kit.view !== null || JSON.stringify(this.form) !== this.#blank);

  constructor(
    readonly backend: Backend,
    /** The names of the other connections. */
    readonly taken: () => string[],
    readonly editing: ConnectionView | null = null,
    place: Place = editing ? 'endpoint' : 'files',
  ) {
    this.kit = new Kit(backend);
    this.preflight = new Preflight(backend);
    if (editing) this.form = formOf(editing);
    this.#blank = JSON.stringify(this.form);
    this.place = place;
    this.furthest = editing ? PLACES.length - 1 : 0;
    void this.#load();
  }

  /** Looks for devices on the connection that is changed. */
  async find(): Promise<void> {
    if (this.editing === null || this.finding) return;
    this.finding = true;
    try {
      this.found = await this.backend.findDialects(this.editing.id);
    } catch (reason) {
      this.failure = failureOf(reason);
    } finally {
      this.finding = false;
    }
  }

  choosePreset(preset: Preset): void {
    this.form = withPreset({ ...this.form, preset: this.settled.preset }, preset, this.presets);
  }

  /** The errors of a step, by field; none before the first attempt to continue. */
  wrongAt(place: Place): FormErrors {
    if (!this.checked) return {};
    return Object.fromEntries(Object.entries(this.wrong).filter(([field]) => placeOf(field as Field) === place));
  }

  /** Continues if this step is valid, once the added files are read. */
  async next(): Promise<void> {
    await this.kit.idle();
    this.checked = true;
    const here = PLACES.indexOf(this.place);
    if (Object.keys(this.wrongAt(this.place)).length > 0 || (this.place === 'preflight' && this.preflight.running))
      return;
    this.form.name ||= this.settled.name;
    this.#stand(PLACES[here + 1] ?? this.place);
  }

  back(): void {
    this.#stand(PLACES[PLACES.indexOf(this.place) - 1] ?? this.place);
  }

  /** Goes to a step that was reached before, or to the first step before it that has an error. */
  go(place: Place): void {
    const on = PLACES.indexOf(place);
    if (on > this.furthest) return;
    const stuck = this.#firstWrong();
    if (stuck !== null && on > PLACES.indexOf(stuck)) this.#stand(stuck, true);
    else this.#stand(place);
  }

  /** Tries the connection, unless the very same was tried to its end or is being tried. */
  try(): void {
    const { preflight } = this;
    if (preflight.isOf(this.attempt) && (preflight.running || preflight.concluded)) return;
    this.tryAgain();
  }

  /** Tries it again, from a step or from the first. */
  tryAgain(from: Step | null = null): void {
    void this.preflight.start(this.attempt, from);
  }

  /** Trusts the certificate that the broker showed in the last preflight, and tries again. */
  async pin(sha256: string): Promise<void> {
    await this.kit.pin(sha256);
    this.failure = this.kit.failure;
    if (this.failure) return;
    this.form.trust = 'pinned';
    this.try();
  }

  /** Uses another version of MQTT, and tries again. */
  speak(version: MqttVersion): void {
    this.form.settings.mqtt = version;
    this.try();
  }

  /** The connection as it was saved; nothing where it was not. */
  async save(): Promise<ConnectionView | null> {
    if (this.saving) return null;
    this.saving = true;
    this.failure = null;
    await this.kit.idle();
    try {
      if (this.#stuck()) return null;
      const denied = this.tried ? (this.preflight.view?.denied ?? []) : (this.editing?.denied ?? []);
      const saved = await this.backend.saveConnection(entryOf(this.form, this.around, denied));
      await this.discard();
      return saved;
    } catch (reason) {
      this.failure = failureOf(reason);
      if (this.failure.code === 'keyring') this.#askForMemory();
      return null;
    } finally {
      this.saving = false;
    }
  }

  /** Discards everything. */
  async discard(): Promise<void> {
    this.#wipe();
    await this.kit.forget();
  }

  /** Goes to the step where the error can be fixed. */
  #stuck(): boolean {
    const place = this.#firstWrong();
    if (place === null) return false;
    const here = this.place === 'save' && Object.keys(this.wrong).every((field) => field === 'name');
    this.#stand(here ? 'save' : place, true);
    return true;
  }

  /** The last step says what to do without a keyring. */
  #askForMemory(): void {
    const { failure } = this;
    this.#stand('save');
    this.failure = failure;
    this.keyringMissing = true;
  }

  #firstWrong(): Ground | null {
    const places = (Object.keys(this.wrong) as Field[]).map(placeOf);
    return (['files', 'endpoint', 'topics'] as const).find((place) => places.includes(place)) ?? null;
  }

  /** `checked` says at once what is wrong there. */
  #stand(place: Place, checked = false): void {
    this.checked = checked;
    if (place === this.place) return;
    if (this.place === 'preflight') void this.preflight.stop();
    this.failure = null;
    this.place = place;
    this.furthest = Math.max(this.furthest, PLACES.indexOf(place));
  }

  /** Typed once, handed over once: the page keeps nothing of it. */
  #wipe(): void {
    this.form.password = '';
    this.form.proxyPassword = '';
    this.preflight.close();
  }

  async #load(): Promise<void> {
    try {
      [this.presets, this.dialects, this.ownDialects] = await Promise.all([
        this.backend.presets(),
        this.backend.dialects(),
        this.editing === null ? [] : this.backend.ownDialects(this.editing.id),
      ]);
    } catch (reason) {
      this.failure = failureOf(reason);
    }
  }
}
