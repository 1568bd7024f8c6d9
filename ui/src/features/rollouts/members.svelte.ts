import { FAILED_MEMBERS } from '../../backend/bindings/Constants';
import type { Batch } from '../../backend/bindings/Batch';
import type { CommandDetail } from '../../backend/bindings/CommandDetail';
import type { Failure } from '../../backend/bindings/Failure';
import type { MemberQuery } from '../../backend/bindings/MemberQuery';
import type { MemberState } from '../../backend/bindings/MemberState';
import type { MemberView } from '../../backend/bindings/MemberView';
import type { Backend } from '../../state/backend';
import { failureOf } from '../../state/failure';
import { Throttle } from '../../state/throttle';
import { pagesOf, type Range } from '../../format/window';

const PAGE = 100;
const PAUSE = 500;

/** Which members are listed. */
export interface Shown {
  states: readonly MemberState[];
  message: string | null;
  slowest_first: boolean;
}

/** The members of a rollout, a page at a time: only those are read that are seen. */
export class Members {
  shown = $state.raw<Shown>({ states: FAILED_MEMBERS, message: null, slowest_first: false });
  pages = $state.raw(new Map<number, MemberView[]>());
  matching = $state(0);
  loaded = $state(false);
  failure = $state.raw<Failure | null>(null);
  /** The row with the keyboard focus. */
  active = $state(0);
  /** The device whose row is unfolded. */
  unfolded = $state<string | null>(null);
  command = $state.raw<CommandDetail | null>(null);
  commandFailure = $state.raw<Failure | null>(null);
  #range: Range = { from: 0, to: 1 };
  #generation = 0;
  /** The user has not chosen a filter. */
  #isUsual = true;
  readonly #again = new Throttle(PAUSE, () => void this.#load(true));
  readonly #reread = new Throttle(250, () => void this.#loadCommand());

  /** The row that is unfolded; -1 while none is, or its page is not read. */
  readonly open = $derived.by(() => {
    if (this.unfolded === null) return -1;
    for (const [page, rows] of this.pages) {
      const place = rows.findIndex(({ device }) => device === this.unfolded);
      if (place >= 0) return page * PAGE + place;
    }
    return -1;
  });

  constructor(
    readonly backend: Backend,
    readonly rollout: string,
    /** Some of its devices have failed: then those are listed where nothing else is chosen, and all of them otherwise. */
    readonly hasFailed: () => boolean,
  ) {
    this.shown = this.#usual();
    void this.#load(true);
  }

  get showsFailed(): boolean {
    return this.shown.states === FAILED_MEMBERS;
  }

  at(index: number): MemberView | null {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE] ?? null;
  }

  /** Lists other ones, from the first. */
  show(shown: Partial<Shown>): void {
    this.#isUsual = Object.keys(shown).length === 0;
    this.shown = { ...this.#usual(), ...shown };
    this.#generation += 1;
    this.pages = new Map();
    this.active = 0;
    this.loaded = false;
    this.unfold(null);
    void this.#load(true);
  }

  #usual(): Shown {
    return { states: this.hasFailed() ? FAILED_MEMBERS : [], message: null, slowest_first: false };
  }

  /** These rows are seen. */
  look(range: Range): void {
    this.#range = { from: range.from, to: Math.max(range.to, range.from + 1) };
    if (pagesOf(this.#range, PAGE).some((page) => !this.pages.has(page))) void this.#load(false);
  }

  /** `ended`: nothing more is expected, so the list is read at once. */
  refresh(ended = false): void {
    // The first failure, or the last one that succeeded late: the list changes with it, unless the user has scrolled.
    if (this.#isUsual && this.unfolded === null && this.showsFailed !== this.hasFailed()) this.show({});
    // It is counted above the list, so it is read now.
    else if (ended || (this.showsFailed && this.matching === 0 && this.hasFailed())) this.#again.now();
    else this.#again.ask();
  }

  take(batch: Batch): void {
    const { unfolded } = this;
    if (unfolded !== null && batch.commands.some(({ device }) => device === unfolded)) this.#reread.ask();
  }

  unfold(member: MemberView | null): void {
    this.unfolded = member?.device ?? null;
    this.command = null;
    this.commandFailure = null;
    if (member !== null) void this.#loadCommand();
  }

  get query(): MemberQuery {
    return { rollout: this.rollout, stage: null, ...this.shown, states: [...this.shown.states] };
  }

  /** Reads the pages that are seen: those that are missing, or all of them again. */
  async #load(anew: boolean): Promise<void> {
    const generation = this.#generation;
    const wanted = pagesOf(this.#range, PAGE).filter((page) => anew || !this.pages.has(page));
    try {
      const read = await Promise.all(
        wanted.map(async (page) => ({ page, ...(await this.backend.rolloutMembers(this.query, page * PAGE, PAGE)) })),
      );
      if (generation !== this.#generation) return;
      const pages = anew ? new Map<number, MemberView[]>() : new Map(this.pages);
      for (const { page, rows } of read) pages.set(page, rows);
      this.pages = pages;
      this.matching = read[0]?.matching ?? this.matching;
      if (this.active >= this.matching) this.active = Math.max(0, this.matching - 1);
      this.loaded = true;
      this.failure = null;
    } catch (reason) {
      if (generation === this.#generation) this.failure = failureOf(reason);
    }
  }

  async #loadCommand(): Promise<void> {
    const device = this.unfolded;
    const member = [...this.pages.values()].flat().find((one) => one.device === device);
    if (!member || member.command === null) return;
    try {
      const { rollout } = await this.backend.rollout(this.rollout);
      const detail = await this.backend.command(rollout.spec.connection, member.device, member.command);
      if (this.unfolded === device) this.command = detail;
    } catch (reason) {
      if (this.unfolded === device) this.commandFailure = failureOf(reason);
    }
  }
}
