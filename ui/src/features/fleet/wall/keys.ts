/** The keys of the wall. */

import { getConnections } from '../../../state/connections.svelte';
import { getFleet } from '../../../state/fleet.svelte';
import { getInspected } from '../../../state/inspected.svelte';
import { getSelection } from '../../../state/selection.svelte';
import { beside, blockOf, type Direction, type Layout } from './layout';

interface Places {
  layout(): Layout;
  /** The place of the tile with the keyboard focus, -1 for none. */
  cursor(): number;
  moveTo(place: number): void;
  zoomBy(by: 1 | -1): void;
  /** All of it in one picture. */
  fit(): void;
}

const ARROWS: Record<string, Direction> = {
  ArrowUp: 'up',
  ArrowDown: 'down',
  ArrowLeft: 'left',
  ArrowRight: 'right',
};

export class WallKeys {
  readonly connections = getConnections();
  readonly fleet = getFleet();
  readonly inspected = getInspected();
  readonly selection = getSelection();

  constructor(readonly places: Places) {}

  onkeydown(event: KeyboardEvent): void {
    if (event.target !== event.currentTarget || event.altKey) return;
    if ((event.ctrlKey || event.metaKey) && event.key !== ' ') return;
    if (this.#move(event) || this.#zoom(event.key) || this.#other(event.key)) event.preventDefault();
  }

  #move({ key, shiftKey }: KeyboardEvent): boolean {
    const { connections, fleet, selection } = this;
    const here = this.places.cursor();
    const to = this.#target(key, here);
    if (to === null) return false;
    const last = fleet.list.ids.length - 1;
    const place = Math.min(last, Math.max(0, to));
    const device = fleet.list.ids[place];
    const connection = connections.current?.id;
    if (device === undefined || connection === undefined) return true;
    if (shiftKey) {
      const from = fleet.list.ids[here];
      if (!selection.isMany && this.inspected.device === null && from !== undefined) selection.only(connection, from);
      selection.rangeTo(connection, device);
    }
    this.places.moveTo(place);
    return true;
  }

  /** Where a key leads; nothing for other keys. */
  #target(key: string, here: number): number | null {
    const layout = this.places.layout();
    const direction = ARROWS[key];
    if (direction) return here < 0 ? 0 : beside(layout, here, direction);
    if (key === 'Home') return 0;
    if (key === 'End') return this.fleet.list.ids.length - 1;
    const block = blockOf(layout, Math.max(0, here));
    if (!block) return null;
    if (key === 'PageDown') return block.from + block.count;
    if (key !== 'PageUp') return null;
    if (here > block.from) return block.from;
    return blockOf(layout, block.from - 1)?.from ?? 0;
  }

  #zoom(key: string): boolean {
    if (key === '+' || key === '=') this.places.zoomBy(1);
    else if (key === '-' || key === '_') this.places.zoomBy(-1);
    else if (key === '0') this.places.fit();
    else return false;
    return true;
  }

  #other(key: string): boolean {
    const { connections, fleet, inspected, selection } = this;
    const connection = connections.current?.id;
    const device = fleet.list.ids[this.places.cursor()];
    if (key === 'Escape') {
      if (!selection.isMany) return false;
      selection.clear();
      return true;
    }
    if (connection === undefined || device === undefined) return false;
    if (key === ' ') {
      if (!selection.isMany && inspected.device === null) selection.only(connection, device);
      else selection.toggle(connection, device);
      return true;
    }
    if (key !== 'Enter') return false;
    if (!selection.isMany) selection.only(connection, device);
    document.querySelector<HTMLElement>(selection.isMany ? '.bar .button' : '.inspector [role="switch"]')?.focus();
    return true;
  }
}
