/** Selects devices on the wall with the pointer: a click, a click with a modifier key, or a frame around tiles. */

import { getConnections } from '../../../state/connections.svelte';
import { getFleet } from '../../../state/fleet.svelte';
import { getSelection } from '../../../state/selection.svelte';
import { placeAt, placesIn, type Layout, type Rectangle } from './layout';

/** So far a pointer may shake, device pixels. */
const SHAKES = 4;
/** How fast the wall scrolls while the pointer is beyond its edge, CSS pixels a frame. */
const PACE = 12;

/** A point of the wall, device pixels. */
interface Point {
  x: number;
  y: number;
}

interface View {
  layout(): Layout;
  /** The point of the wall under the pointer, and how far it is above (negative) or below what is seen. */
  pointOf(clientX: number, clientY: number): Point & { beyond: number };
  scrollBy(by: number): void;
}

export class WallPointer {
  readonly connections = getConnections();
  readonly fleet = getFleet();
  readonly selection = getSelection();
  /** The frame over the tiles. */
  frame = $state.raw<Rectangle | null>(null);
  #begun: Point | null = null;
  #at = { x: 0, y: 0 };
  #asked = 0;

  constructor(readonly view: View) {}

  begin(event: PointerEvent): void {
    const connection = this.connections.current?.id;
    if (event.button !== 0 || connection === undefined) return;
    const { fleet, selection } = this;
    const point = this.view.pointOf(event.clientX, event.clientY);
    const device = fleet.list.ids[placeAt(this.view.layout(), point.x, point.y)];
    const adds = event.ctrlKey || event.metaKey;
    if (event.shiftKey && device !== undefined) {
      selection.rangeTo(connection, device, adds);
      return;
    }
    selection.begin(connection, adds);
    if (device === undefined) {
      if (!adds) selection.clear();
    } else if (adds) selection.toggle(connection, device);
    else selection.only(connection, device);
    this.#begun = point;
  }

  move(event: PointerEvent): void {
    const begun = this.#begun;
    if (begun === null) return;
    if (event.buttons === 0) return this.end();
    this.#at = { x: event.clientX, y: event.clientY };
    if (this.frame === null) {
      const { x, y } = this.view.pointOf(event.clientX, event.clientY);
      if (Math.abs(x - begun.x) < SHAKES && Math.abs(y - begun.y) < SHAKES) return;
      (event.currentTarget as HTMLElement).setPointerCapture?.(event.pointerId);
      this.frame = { left: x, top: y, right: x, bottom: y };
    }
    this.#ask();
  }

  end(): void {
    if (this.#asked !== 0) {
      cancelAnimationFrame(this.#asked);
      this.#draw();
    }
    this.#begun = null;
    this.frame = null;
  }

  /** A hundred thousand devices are selected once a frame at most. */
  #ask(): void {
    if (this.#asked === 0) this.#asked = requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    this.#asked = 0;
    const begun = this.#begun;
    const connection = this.connections.current?.id;
    if (begun === null || connection === undefined) return;
    const { x, y, beyond } = this.view.pointOf(this.#at.x, this.#at.y);
    this.frame = {
      left: Math.min(begun.x, x),
      top: Math.min(begun.y, y),
      right: Math.max(begun.x, x),
      bottom: Math.max(begun.y, y),
    };
    const { ids } = this.fleet.list;
    const ranges = placesIn(this.view.layout(), this.frame);
    this.selection.draw(
      connection,
      ranges.flatMap(({ from, to }) => ids.slice(from, to)),
    );
    if (beyond === 0) return;
    this.view.scrollBy(Math.sign(beyond) * PACE);
    this.#ask();
  }
}
