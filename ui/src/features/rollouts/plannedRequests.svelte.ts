/** Every request that a rollout would publish, loaded as the list is scrolled. */

import type { Failure } from '../../backend/bindings/Failure';
import type { NewRollout } from '../../backend/bindings/NewRollout';
import type { PlannedRequest } from '../../backend/bindings/PlannedRequest';
import { pagesOf, type Range } from '../../format/window';
import type { Backend } from '../../state/backend';
import { failureOf } from '../../state/failure';

const PAGE = 200;
/** Pages that are kept; the oldest go first. */
const KEPT = 20;

export class AllRequests {
  /** As the engine said last. */
  #counted = $state<number | null>(null);
  failure = $state.raw<Failure | null>(null);
  #pages = $state.raw<ReadonlyMap<number, readonly PlannedRequest[]>>(new Map());
  readonly #loading = new Set<number>();

  /** `planned`: how many they are by the plan. */
  constructor(
    readonly backend: Backend,
    readonly rollout: NewRollout,
    readonly planned: number,
  ) {}

  get total(): number {
    return this.#counted ?? this.planned;
  }

  /** The request of a member; nothing while it is not loaded. */
  at(place: number): PlannedRequest | undefined {
    return this.#pages.get(Math.floor(place / PAGE))?.[place % PAGE];
  }

  /** These are seen. */
  see(range: Range): void {
    for (const page of pagesOf(range, PAGE))
      if (!this.#pages.has(page) && !this.#loading.has(page)) void this.#load(page);
  }

  async #load(page: number): Promise<void> {
    this.#loading.add(page);
    try {
      const { requests, total } = await this.backend.plannedRequests(this.rollout, page * PAGE, PAGE);
      const pages = new Map(this.#pages).set(page, requests);
      for (const oldest of [...pages.keys()].slice(0, -KEPT)) pages.delete(oldest);
      this.#pages = pages;
      this.#counted = total;
      this.failure = null;
    } catch (reason) {
      this.failure = failureOf(reason);
    } finally {
      this.#loading.delete(page);
    }
  }
}
