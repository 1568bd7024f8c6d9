import type { CommandView } from '../../backend/bindings/CommandView';
import type { DeviceRow } from '../../backend/bindings/DeviceRow';
import { detail } from '../../format/command';
import { fuzzy } from '../../format/fuzzy';
import { visible, visibleName } from '../../format/text';
import { getActions, GROUPS, type Action } from '../../state/actions.svelte';
import { getBackend } from '../../state/backend';
import { getConnections } from '../../state/connections.svelte';
import { keyOf } from '../../state/feed';
import { getHistory } from '../../state/history.svelte';
import { getInspected } from '../../state/inspected.svelte';
import { getRoute } from '../../state/route.svelte';
import { Throttle } from '../../state/throttle';

/** How many of a kind are shown. */
const DEVICES = 8;
const RECENT = 5;
const LOOKED_THROUGH = 50;
/** Less than the difference between a match at the beginning of a word and one inside. */
const PRIOR = 0.5;

export interface Found {
  key: string;
  name: string;
  /** The matching letters. */
  at: Set<number>;
  keys?: string;
  device?: DeviceRow;
  command?: CommandView;
  run: () => unknown;
}

export interface FoundGroup {
  name: string;
  found: Found[];
  /** The number of further matches that are not shown. */
  more?: number;
}

const NOWHERE = new Set<number>();

/** The search of the palette: actions, devices, and recent commands. */
export class Palette {
  readonly actions = getActions();
  readonly backend = getBackend();
  readonly connections = getConnections();
  readonly history = getHistory();
  readonly inspected = getInspected();
  readonly route = getRoute();
  typed = $state('');
  /** The key of the selected entry; the first one if there is none. */
  #picked = $state<string | null>(null);
  devices = $state.raw<DeviceRow[]>([]);
  /** The number of further matching devices. */
  more = $state(0);
  recent = $state.raw<CommandView[]>([]);
  #question = 0;
  /** The text of the last search for devices. */
  #answered = '';
  readonly #ask = new Throttle(120, () => void this.#search());

  readonly groups: FoundGroup[] = $derived.by(() =>
    [...this.#actions(), this.#devices(), this.#commands()].filter(({ found }) => found.length > 0),
  );
  readonly flat: Found[] = $derived(this.groups.flatMap(({ found }) => found));
  /** It stays the same while more is found around it. */
  readonly chosen = $derived(this.flat.find(({ key }) => key === this.#picked) ?? this.flat[0] ?? null);

  constructor() {
    void this.#recall();
  }

  type(typed: string): void {
    this.typed = typed;
    this.#picked = null;
    this.#ask.ask();
  }

  move(by: number): void {
    const { length } = this.flat;
    const from = this.flat.findIndex((found) => found === this.chosen);
    this.#picked = this.flat[(from + by + length) % length]?.key ?? null;
  }

  /** The choice for the whole typed text: never a device that was found for a part of it. */
  async decide(): Promise<Found | null> {
    while (this.typed.trim() !== this.#answered) await this.#search();
    return this.chosen;
  }

  /** Groups by their best; with nothing typed, in their own order. */
  #actions(): FoundGroup[] {
    const typed = this.typed.trim();
    const scored = this.actions.list.flatMap((action) => {
      if (typed === '') return action.quiet ? [] : [{ action, score: 0, at: NOWHERE }];
      const match = fuzzy(typed, action.name);
      // A match of its search words counts less, and is not shown.
      const around = match ? null : fuzzy(typed, `${action.name} ${action.group} ${action.words ?? ''}`);
      if (match) return [{ action, at: match.at, score: match.score + (action.prior ? PRIOR : 0) }];
      return around && around.score >= 2 ? [{ action, score: around.score - 2, at: NOWHERE }] : [];
    });
    const groups = GROUPS.map((name) => {
      const own = scored.filter(({ action }) => action.group === name && action.id !== 'window.palette');
      own.sort((one, other) => other.score - one.score);
      return { name, best: own[0]?.score ?? 0, found: own.map(({ action, at }) => this.#found(action, at)) };
    });
    return groups.sort((one, other) => other.best - one.best);
  }

  #found(action: Action, at: Set<number>): Found {
    const { id, name, keys } = action;
    const key = `action.${id}`;
    return { key, name, at, ...(keys !== undefined && { keys }), run: () => this.actions.run(action) };
  }

  #devices(): FoundGroup {
    const found = this.devices.map((device) => {
      const name = visibleName(device.device);
      const at = fuzzy(this.typed, name)?.at ?? NOWHERE;
      const run = () => {
        this.route.go('fleet');
        this.inspected.choose(device.connection, device.device);
      };
      return { key: `device.${device.device}`, name, at, device, run };
    });
    return { name: 'Devices', found, more: this.more };
  }

  #commands(): FoundGroup {
    const found = this.recent.flatMap((command) => {
      const name = visible(`${command.command} ${detail(command)}`.trim());
      const match = fuzzy(this.typed, `${name} ${visibleName(command.device)}`);
      const run = () => this.history.reveal(command);
      return match ? [{ key: `command.${keyOf(command)}`, name, at: match.at, command, run }] : [];
    });
    return { name: 'Recent commands', found: found.slice(0, RECENT) };
  }

  async #search(): Promise<void> {
    const connection = this.connections.current?.id;
    const search = this.typed.trim();
    const question = ++this.#question;
    if (connection === undefined || search === '') {
      this.devices = [];
      this.more = 0;
      this.#answered = search;
      return;
    }
    const query = { connection, search, sort: 'device', order: 'ascending', group: null } as const;
    // A search that fails finds nothing here; the list of devices shows the error.
    const page = await this.backend.devices(query, 0, DEVICES).catch(() => null);
    if (question !== this.#question) return;
    this.devices = page?.rows ?? [];
    this.more = (page?.matching ?? 0) - this.devices.length;
    this.#answered = search;
  }

  async #recall(): Promise<void> {
    const connection = this.connections.current?.id;
    if (connection === undefined) return;
    const query = {
      connection,
      device: null,
      states: [],
      since: null,
      search: '',
      automatic: false,
      needs_attention: false,
      cursor: null,
      limit: LOOKED_THROUGH,
    };
    const page = await this.backend.history(query).catch(() => null);
    this.recent = page?.commands.filter(({ by }) => by === 'you') ?? [];
  }
}
