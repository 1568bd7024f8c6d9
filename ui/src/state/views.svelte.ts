/** The saved views of a connection: searches with their order, groups and columns, under a name. */

import { createContext } from 'svelte';

import type { Backend } from '../backend/backend';
import type { Batch } from '../backend/bindings/Batch';
import type { CountedView } from '../backend/bindings/CountedView';
import type { SavedView } from '../backend/bindings/SavedView';
import { columnKey } from '../format/gridColumns';
import { line } from '../format/search';
import { visibleName } from '../format/text';
import type { Fleet } from './fleet.svelte';
import { Throttle } from './throttle';
import type { Undo } from './undo.svelte';

/** Counting a hundred thousand devices takes some time. */
const PAUSE = 3_000;

export class Views {
  list = $state.raw<CountedView[]>([]);
  /** The view that was opened last. */
  opened = $state<string | null>(null);
  /** It, as long as it is there. */
  readonly current = $derived(this.list.find(({ view }) => view.id === this.opened) ?? null);
  /** The current view differs from the saved one. */
  readonly differs = $derived(this.current !== null && keyOf(this.current.view) !== keyOf(this.#shown()));
  #connection: string | null = null;
  readonly #again = new Throttle(PAUSE, () => void this.#load());

  constructor(
    readonly backend: Backend,
    readonly fleet: Fleet,
    readonly undo: Undo,
  ) {}

  /** Which connection's views are listed. */
  open(connection: string): void {
    if (connection === this.#connection) return;
    this.#connection = connection;
    this.list = [];
    this.opened = null;
    void this.#load();
  }

  take(batch: Batch): void {
    if (this.list.length > 0 && this.#connection !== null && batch.devices.includes(this.#connection))
      this.#again.ask();
  }

  /** Shows a view. */
  show({ id, search, sort, order, group, columns }: SavedView): void {
    this.opened = id;
    this.fleet.arrange({ sort, order, group, columns: columns.length === 0 ? null : columns });
    this.fleet.searchFor(search);
  }

  /** Saves what is shown under a name. */
  async save(name: string): Promise<void> {
    const saved = await this.backend.saveView({ ...this.#shown(), id: '', name });
    await this.#load();
    this.opened = saved.id;
    this.undo.offer(`Saved the view “${visibleName(saved.name)}”.`, async () => {
      await this.backend.removeView(saved.id);
      await this.#load();
      return `Deleted the new view “${visibleName(saved.name)}”.`;
    });
  }

  /** Saves what is shown in the place of what the open view was. */
  async update(): Promise<void> {
    const view = this.current?.view;
    if (view === undefined) return;
    await this.#replace(
      view,
      { ...this.#shown(), id: view.id, name: view.name },
      `Updated the view “${visibleName(view.name)}”.`,
    );
  }

  async rename(view: SavedView, name: string): Promise<void> {
    if (name === view.name) return;
    await this.#replace(view, { ...view, name }, `Renamed the view “${visibleName(view.name)}”.`);
  }

  async remove(view: SavedView): Promise<void> {
    await this.backend.removeView(view.id);
    await this.#load();
    this.undo.offer(`Deleted the view “${visibleName(view.name)}”.`, async () => {
      await this.backend.saveView(view);
      await this.#load();
      return `Restored the view “${visibleName(view.name)}”.`;
    });
  }

  async #replace(before: SavedView, after: SavedView, message: string): Promise<void> {
    await this.backend.saveView(after);
    await this.#load();
    this.undo.offer(message, async () => {
      await this.backend.saveView(before);
      await this.#load();
      return `Restored the view “${visibleName(before.name)}”.`;
    });
  }

  #shown(): SavedView {
    const { fleet } = this;
    return {
      id: '',
      connection: this.#connection ?? '',
      name: '',
      search: line(fleet.search),
      sort: fleet.sort.sort,
      order: fleet.sort.order,
      group: fleet.group,
      columns: [...(fleet.columns ?? [])],
    };
  }

  async #load(): Promise<void> {
    const connection = this.#connection;
    if (connection === null) return;
    // A list of views is an extra: where it cannot be had there is none.
    const list = await this.backend.views(connection).catch(() => []);
    if (connection === this.#connection) this.list = list;
  }
}

export const [getViews, setViews] = createContext<Views>();

/** The content of a view, as text. */
function keyOf({ search, sort, order, group, columns }: SavedView): string {
  return JSON.stringify([search, sort, order, group, columns.map(columnKey)]);
}
