/** Saved views of the invented fleet, and the values of its columns. */

import type { CountedView } from '../bindings/CountedView';
import type { DeviceCells } from '../bindings/DeviceCells';
import type { SavedView } from '../bindings/SavedView';
import type { ViewColumn } from '../bindings/ViewColumn';
import { toJson } from '../../format/json';
import { exact } from './annotations';
import { failure } from './failure';
import type { FakeDevice } from './fleet';

export class FakeViews {
  #views: SavedView[] = [];
  #last = 0;

  list(connection: string, count: (view: SavedView) => number): CountedView[] {
    return this.of(connection).map((view) => ({ view, matching: count(view) }));
  }

  of(connection: string): SavedView[] {
    return this.#views.filter((view) => view.connection === connection);
  }

  save(given: SavedView): SavedView {
    const name = exact(given.name, 'name');
    if (name === '') throw failure('invalid', 'The view has no name.', 'Enter a name, for example Cold stores.');
    const view = { ...given, name, id: given.id === '' ? `view-${++this.#last}` : given.id };
    if (this.#views.some((other) => other.name === name && other.id !== view.id))
      throw failure('invalid', `A view named '${name}' already exists.`, 'Choose another name.');
    const known = this.#views.some(({ id }) => id === view.id);
    this.#views = known ? this.#views.map((other) => (other.id === view.id ? view : other)) : [...this.#views, view];
    return view;
  }

  remove(id: string): void {
    this.#views = this.#views.filter((view) => view.id !== id);
  }
}

export function cellsOf(devices: FakeDevice[], columns: ViewColumn[]): DeviceCells[] {
  const asks = columns.some(({ column }) => column === 'desired');
  return devices.map(({ row, running, desired }, place) => ({
    device: row.device,
    config: columns.map((column) => {
      if (column.column !== 'config') return null;
      const value = running?.[column.key];
      return value === undefined ? null : toJson(value);
    }),
    measured: columns.map((column) =>
      column.column === 'telemetry' && row.led !== null
        ? Array.from({ length: 30 }, (_, i) => 4 + ((place * 7919) % 97) / 12 + Math.sin((i + place) / 4))
        : [],
    ),
    desired: asks ? (desired?.() ?? null) : null,
  }));
}
