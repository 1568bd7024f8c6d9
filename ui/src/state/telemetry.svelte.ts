import { createContext } from 'svelte';

import type { Backend } from '../backend/backend';
import type { Batch } from '../backend/bindings/Batch';
import type { Failure } from '../backend/bindings/Failure';
import type { SeriesView } from '../backend/bindings/SeriesView';
import type { TelemetryView } from '../backend/bindings/TelemetryView';
import { engineTime } from './clock.svelte';
import { failureOf } from './failure';
import { Throttle } from './throttle';

const MINUTE = 60_000;

/**
 * The selectable spans; `null`: all that is kept. A new value is hardly seen in a long one, and reading all of
 * it costs something, so it is drawn again only every so often.
 */
export const RANGES = [
  { value: '5m', name: '5 min', span: 5 * MINUTE, every: 0 },
  { value: '1h', name: '1 h', span: 60 * MINUTE, every: 4_000 },
  { value: '24h', name: '24 h', span: 24 * 60 * MINUTE, every: 30_000 },
  { value: '7d', name: '7 d', span: 7 * 24 * 60 * MINUTE, every: MINUTE },
  { value: 'all', name: 'All', span: null, every: MINUTE },
] as const;
export type RangeName = (typeof RANGES)[number]['value'];

/** The interval at which the shown span moves on without new values. */
const SILENT = 2_000;
/** For long ranges, which are drawn less often, the latest values are loaded separately. */
const SELDOM = 10_000;
/** In which time before now they are looked for. */
const RECENT = 5 * MINUTE;

/** A value, and when it was measured, Unix milliseconds. */
export interface Latest {
  value: number | null;
  at: number | null;
}

/** The measurements of one device in the shown span, live or not. */
export class Measurements {
  connection = $state<string | null>(null);
  device = $state<string | null>(null);
  view = $state.raw<TelemetryView | null>(null);
  /** The span with as much before and after it, while zoomed. */
  #wide = $state.raw<TelemetryView | null>(null);
  failure = $state.raw<Failure | null>(null);
  range = $state<RangeName>('5m');
  /** The zoomed part of the range. */
  zoom = $state.raw<{ from: number; to: number } | null>(null);
  /** When the values were last loaded, Unix milliseconds: the age of a value counts up to here. */
  askedAt = $state(0);
  /** The number of series of the last device: the next one probably has as many. */
  likely = $state(0);
  /** The last values that came since it was drawn, by series. */
  #last = $state.raw(new Map<string, Latest>());
  /** The end of the paused span. */
  #pausedAt = $state<number | null>(null);

  readonly #refresh: Throttle;
  readonly #refreshLast: Throttle;
  #loadedAt = 0;

  constructor(
    readonly backend: Backend,
    readonly points: number,
    pause = 1_000,
  ) {
    this.#refresh = new Throttle(pause, () => void this.#load());
    this.#refreshLast = new Throttle(Math.max(pause, SILENT), () => void this.#loadLast());
  }

  /** The drawn span: it reaches beyond the shown one as far as its lines do. */
  get drawn(): TelemetryView | null {
    return this.zoom === null ? this.view : (this.#wide ?? this.view);
  }

  get live(): boolean {
    return this.#pausedAt === null;
  }

  /** The span follows the time: neither paused nor zoomed. */
  get goesOn(): boolean {
    return this.live && this.zoom === null;
  }

  /** The last value of a series in what is shown, or the very last one where it continues. */
  latestOf({ name, latest, latest_at: at }: SeriesView): Latest {
    const last = this.goesOn ? this.#last.get(name) : undefined;
    return last && (last.at ?? 0) > (at ?? 0) ? last : { value: latest, at };
  }

  choose(connection: string | null, device: string | null): void {
    if (connection === this.connection && device === this.device) return;
    this.connection = connection;
    this.device = device;
    this.view = null;
    this.failure = null;
    this.zoom = null;
    this.#pausedAt = null;
    this.#last = new Map();
    this.#refresh.now();
  }

  take(batch: Batch): void {
    const { connection, device } = this;
    if (connection === null || device === null || !this.goesOn) return;
    const listed = batch.changed_devices.some(([c, d]) => c === connection && d === device);
    const unlisted = batch.changed_devices.length >= 200 && batch.devices.includes(connection);
    if (listed || unlisted) this.#ask(this.#every);
  }

  /** Moves the span on, with or without new values. */
  moveOn(): void {
    if (this.goesOn) this.#ask(Math.max(SILENT, this.#every));
  }

  show(range: RangeName): void {
    this.range = range;
    this.zoom = null;
    this.#refresh.ask();
  }

  zoomTo(from: number, to: number): void {
    // Closer than that there is nothing to be seen.
    if (to - from < 100) return;
    this.zoom = { from: Math.floor(from), to: Math.ceil(to) };
    this.#refresh.ask();
  }

  /** Closer or further by a factor, about a time that is shown or about the middle; never beyond now. */
  scale(factor: number, about: number | null = null): void {
    if (this.view === null) return;
    const { from, to } = this.zoom ?? this.view;
    const still = about !== null && about >= from && about <= to ? about : (from + to) / 2;
    const wide = (to - from) * factor;
    const end = Math.min(engineTime.now, still + (to - still) * factor);
    this.zoomTo(end - wide, end);
  }

  /** Earlier or later by a part of the time that is shown; never beyond now. */
  pan(part: number): void {
    if (this.view === null) return;
    const { from, to } = this.zoom ?? this.view;
    const end = Math.min(engineTime.now, to + Math.round((to - from) * part));
    if (part < 0 || end > to) this.zoomTo(end - (to - from), end);
  }

  reset(): void {
    this.zoom = null;
    this.#refresh.ask();
  }

  pause(): void {
    this.#pausedAt = (this.zoom === null ? this.view?.to : null) ?? engineTime.now;
  }

  resume(): void {
    this.#pausedAt = null;
    this.#refresh.ask();
  }

  get #every(): number {
    return RANGES.find(({ value }) => value === this.range)?.every ?? 0;
  }

  #ask(every: number): void {
    // The time may be set back.
    if (Math.abs(engineTime.now - this.#loadedAt) >= every) this.#refresh.ask();
    else if (every >= SELDOM) this.#refreshLast.ask();
  }

  async #load(): Promise<void> {
    const { connection, device, zoom, range } = this;
    if (connection === null || device === null) return;
    const now = (this.#loadedAt = engineTime.now);
    const span = RANGES.find(({ value }) => value === range)?.span ?? null;
    const from = zoom?.from ?? (span === null ? null : (this.#pausedAt ?? engineTime.now) - span);
    try {
      const ask = (from: number | null, to: number | null, points: number) =>
        this.backend.telemetry({ connection, device, from, to, points });
      const around = zoom === null ? 0 : zoom.to - zoom.from;
      const [view, wide] = await Promise.all([
        ask(from, zoom?.to ?? this.#pausedAt, this.points),
        zoom === null ? null : ask(zoom.from - around, zoom.to + around, 3 * this.points),
      ]);
      if (connection !== this.connection || device !== this.device || zoom !== this.zoom || range !== this.range)
        return;
      this.view = view;
      this.#wide = wide;
      this.likely = view.series.length;
      this.askedAt = now;
      this.failure = null;
    } catch (reason) {
      if (device === this.device) this.failure = failureOf(reason);
    }
  }

  async #loadLast(): Promise<void> {
    const { connection, device } = this;
    if (connection === null || device === null || !this.goesOn) return;
    const now = engineTime.now;
    try {
      const { series } = await this.backend.telemetry({ connection, device, from: now - RECENT, to: null, points: 1 });
      if (connection !== this.connection || device !== this.device) return;
      const last = series.map(({ name, latest, latest_at: at }) => [name, { value: latest, at }] as const);
      this.#last = new Map([...this.#last, ...last]);
      this.askedAt = now;
    } catch {
      // The next load shows the error; until then the device is not shown as silent.
    }
  }
}

export const [getRecentMeasurements, setRecentMeasurements] = createContext<Measurements>();
export const [getChartMeasurements, setChartMeasurements] = createContext<Measurements>();
