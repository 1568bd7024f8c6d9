/** The desired configurations of invented devices. */

import type { DesiredConfig } from '../bindings/DesiredConfig';
import type { DesiredFor } from '../bindings/DesiredFor';
import type { DesiredView } from '../bindings/DesiredView';
import type { DeviceDesired } from '../bindings/DeviceDesired';
import type { OverruledValue } from '../bindings/OverruledValue';
import type { ReportedKey } from '../bindings/ReportedKey';
import type { SavedView } from '../bindings/SavedView';
import { same } from '../../format/config';
import { objectFrom, toJson } from '../../format/json';
import { failure } from './failure';
import type { FakeDevice } from './fleet';
import { searched } from './search';

interface Wanted {
  config: DesiredConfig;
  name: string;
  search: string;
  values: Record<string, unknown>;
  fits: (device: FakeDevice) => boolean;
}

export class FakeDesired {
  #all: DesiredConfig[] = [];

  constructor(
    readonly fleet: (connection: string) => FakeDevice[],
    readonly views: (connection: string) => SavedView[],
  ) {}

  list(connection: string): DesiredView[] {
    const all = this.#wanted(connection);
    const fleet = this.fleet(connection);
    return all.map(({ config, name, search, values, fits }, place) => {
      const stands = fleet.filter(fits).map((device) => ({ device, desired: standing(device, all) }));
      const number = (state: DeviceDesired['state']) => stands.filter(({ desired }) => desired?.state === state).length;
      const overruled = new Map<string, OverruledValue>();
      for (const { device } of stands) {
        for (const { key, value, by } of applied(device, all)) {
          if (!(key in values) || same(values[key], value)) continue;
          const known = overruled.get(key) ?? { key, value: toJson(value), by, devices: 0, examples: [] };
          known.devices += 1;
          if (known.examples.length < 5) known.examples.push(device.row.device);
          overruled.set(key, known);
        }
      }
      return {
        desired: { ...config, place },
        name,
        search,
        as_wanted: number('as_wanted'),
        differs: number('differs'),
        unknown: number('unknown'),
        overruled: [...overruled.values()],
      };
    });
  }

  save(config: DesiredConfig): DesiredView {
    if (Object.keys(objectFrom(config.values)).length === 0)
      throw failure(
        'invalid',
        'There are no wanted values.',
        'Give the wanted values by key, such as {"report_interval_s":30}.',
      );
    const { target } = config;
    if (target.by === 'tag' && target.tag.trim() === '')
      throw failure('invalid', 'A tag cannot be empty.', 'Write a word, such as kitchen.');
    const before = this.#all.findIndex((other) => isSame(other.target, target));
    const rest = this.#all.filter((other) => !isSame(other.target, target));
    rest.splice(config.place ?? (before < 0 ? rest.length : before), 0, config);
    this.#all = rest;
    this.#settle(config.connection);
    const saved = this.list(config.connection).find(({ desired }) => isSame(desired.target, target));
    if (saved === undefined) throw failure('not_found', 'There is no such view.', null);
    return saved;
  }

  clear(connection: string, target: DesiredFor): DesiredConfig {
    const place = this.#all.findIndex((other) => isSame(other.target, target));
    const [cleared] = place < 0 ? [] : this.#all.splice(place, 1);
    if (cleared === undefined)
      throw failure('not_found', 'These devices have no desired configuration.', 'Set the wanted values first.');
    this.#settle(connection);
    return { ...cleared, place };
  }

  isForView(view: string): boolean {
    return this.#all.some(({ target }) => target.by === 'view' && target.view === view);
  }

  keys(connection: string, search: string): ReportedKey[] {
    const keys = new Map<string, Map<string, number>>();
    for (const { running } of this.fleet(connection).filter(searched(search))) {
      for (const [key, value] of Object.entries(running ?? {})) {
        const values = keys.get(key) ?? new Map<string, number>();
        values.set(toJson(value), (values.get(toJson(value)) ?? 0) + 1);
        keys.set(key, values);
      }
    }
    return [...keys].map(([key, values]) => ({
      key,
      devices: [...values.values()].reduce((sum, count) => sum + count, 0),
      values: [...values]
        .sort((a, b) => b[1] - a[1])
        .slice(0, 5)
        .map(([value, devices]) => ({ value, devices })),
    }));
  }

  /** Updates the state of every device, so that a search finds it. */
  #settle(connection: string): void {
    const all = this.#wanted(connection);
    for (const device of this.fleet(connection)) device.desired = () => standing(device, all);
  }

  #wanted(connection: string): Wanted[] {
    return this.#all
      .filter((config) => config.connection === connection)
      .flatMap((config) => {
        const { target } = config;
        const values = objectFrom(config.values);
        if (target.by === 'tag') {
          const search = `tag:${/^[\w./@#+-]+$/.test(target.tag) ? target.tag : `"${target.tag}"`}`;
          return [{ config, name: target.tag, search, values, fits: searched(search) }];
        }
        const view = this.views(connection).find(({ id }) => id === target.view);
        return view === undefined
          ? []
          : [{ config, name: view.name, search: view.search, values, fits: searched(view.search) }];
      });
  }
}

function isSame(one: DesiredFor, other: DesiredFor): boolean {
  if (one.by === 'tag') return other.by === 'tag' && one.tag.trim().toLowerCase() === other.tag.trim().toLowerCase();
  return other.by === 'view' && one.view === other.view;
}

/** The desired configuration of a device: of each key, the value of the first configuration that names it. */
function applied(device: FakeDevice, all: Wanted[]): { key: string; value: unknown; by: string }[] {
  const found = new Map<string, { key: string; value: unknown; by: string }>();
  for (const { name, values, fits } of all) {
    if (!fits(device)) continue;
    for (const [key, value] of Object.entries(values)) if (!found.has(key)) found.set(key, { key, value, by: name });
  }
  return [...found.values()];
}

function standing(device: FakeDevice, all: Wanted[]): DeviceDesired | null {
  const wanted = applied(device, all);
  if (wanted.length === 0) return null;
  const { running, saved } = device;
  const differences = wanted
    .filter(({ key, value }) => !same(running?.[key], value) || (saved !== null && !same(saved[key], value)))
    .map(({ key, value, by }) => ({
      key,
      wanted: toJson(value),
      running: running?.[key] === undefined ? null : toJson(running[key]),
      saved: saved === null || same(saved[key], running?.[key]) ? null : toJson(saved[key]),
      by,
    }));
  const state = running === null ? 'unknown' : differences.length === 0 ? 'as_wanted' : 'differs';
  return { state, differences };
}
