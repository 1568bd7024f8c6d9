import { createContext } from 'svelte';

import { keyText } from '../format/keys';
import type { Notices } from './notices.svelte';
import type { Sending } from './sending.svelte';
import { Shortcuts } from './shortcuts';

export const GROUPS = [
  'Log',
  'Charts',
  'Selected devices',
  'This device',
  'Go to',
  'Fleet',
  'Rollouts',
  'History',
  'Live traffic',
  'Connections',
  'Commands',
  'Window',
] as const;
type Group = (typeof GROUPS)[number];

/** Something that can be done now. */
export interface Action {
  id: string;
  group: Group;
  name: string;
  /** Other words that it is looked for by. */
  words?: string;
  /** Its keys: `l`, `g f`, `mod+k`. */
  keys?: string;
  /** Its keys are disabled on the current screen, where the effect would not be visible. */
  elsewhere?: boolean;
  /** Only shown once something is typed: there are many of its kind. */
  quiet?: boolean;
  /** It sends something to devices, so it is not there while nothing can be sent. */
  sends?: boolean;
  /** It is listed before others that match equally. */
  prior?: boolean;
  run: () => unknown;
}

/** Keys that belong to a list, a field or a chart, and what they do there. */
export const IN_LISTS: { keys: string; name: string }[] = [
  { keys: '↑ ↓', name: 'Move in a list' },
  { keys: 'Home End', name: 'First or last row' },
  { keys: 'Enter', name: 'Go to the LED; expand a command' },
  { keys: '↓', name: 'From the search to the list' },
  { keys: 'Space', name: 'Select or deselect a device' },
  { keys: 'shift+↑ shift+↓', name: 'Select a range of devices' },
  { keys: 'mod+↑ mod+↓', name: 'Move without selecting' },
  { keys: 'mod+a', name: 'Select all devices' },
  { keys: '+ − 0', name: 'Zoom the wall; show all' },
  { keys: '↑ Enter', name: 'Go to the column headers; sort' },
  { keys: '→ ←', name: 'Expand or collapse a command' },
  { keys: 'alt+↑ alt+↓', name: 'Move a connection' },
  { keys: 'mod+j', name: 'Arguments as form or JSON' },
  { keys: 'Enter shift+Enter', name: 'Next or previous log match' },
  { keys: '+ −', name: 'Zoom the charts' },
  { keys: 'shift+← shift+→', name: 'Scroll the charts' },
  { keys: '↑ ↓', name: 'Resize the lower pane, on its upper edge' },
  { keys: 'Escape', name: 'Close, clear a search, reset the zoom' },
];

/** The available actions. Features declare them; buttons, the palette and the list of keys read them. */
export class Actions {
  paletteOpen = $state(false);
  sheetOpen = $state(false);
  readonly #shortcuts: Shortcuts;
  /** The actions of each feature. */
  #offers = $state.raw<(() => Action[])[]>([]);
  readonly list: Action[] = $derived.by(() =>
    this.#offers.flatMap((offer) => offer()).filter(({ sends }) => sends !== true || this.sending.refusal === null),
  );

  /** The keys by action, as text: it stays the same while only what the actions do is different. */
  readonly #keyLines = $derived(
    this.list.flatMap(({ id, keys }) => (keys === undefined ? [] : `${id}\n${keys}`)).join('\n'),
  );
  readonly #keys: ReadonlyMap<string, string> = $derived.by(() => {
    const parts = this.#keyLines.split('\n');
    return new Map(parts.flatMap((part, i) => (i % 2 === 0 ? [[part, parts[i + 1] ?? ''] as const] : [])));
  });

  constructor(
    readonly sending: Sending,
    readonly notices: Notices,
  ) {
    this.#shortcuts = new Shortcuts(
      (keys) => {
        const action = this.list.find((one) => one.keys === keys && one.elsewhere !== true);
        if (action) void this.run(action);
        return action !== undefined;
      },
      (key) => this.list.some((action) => action.keys?.startsWith(`${key} `)),
    );
  }

  /** A feature says what can be done with it now. */
  offer(actions: () => Action[]): void {
    this.#offers = [...this.#offers, actions];
  }

  onkeydown(event: KeyboardEvent): void {
    this.#shortcuts.onkeydown(event);
  }

  async run(action: Pick<Action, 'run'>): Promise<void> {
    try {
      await action.run();
    } catch (reason) {
      this.notices.reportError(reason);
    }
  }

  /** The attributes of a control that does the same as an action. */
  hint(id: string): { title?: string; 'aria-keyshortcuts'?: string } {
    const keys = this.#keys.get(id);
    if (keys === undefined) return {};
    const title = `Keys: ${keyText(keys)}`;
    // One key after another cannot be said in the attribute.
    if (keys.includes(' ')) return { title };
    return { title, 'aria-keyshortcuts': keys.replace(/^mod\+(.)/, (_, key: string) => `Control+${key} Meta+${key}`) };
  }
}

export const [getActions, setActions] = createContext<Actions>();
