/** Selects devices with the pointer: a click, a click with a modifier key, or a drag over rows. */

import { getConnections } from '../../state/connections.svelte';
import { getFleet } from '../../state/fleet.svelte';
import { getSelection } from '../../state/selection.svelte';

/** So far a pointer may shake, pixels. */
const SHAKES = 4;
/** How fast the list scrolls while the pointer is beyond its edge, pixels a frame. */
const PACE = 12;

interface List {
  /** The line at a height in the window. */
  lineAt(y: number): number;
  scrollBy(by: number): void;
  /** Where the rows are seen. */
  frame(): { top: number; bottom: number };
}

interface Drag {
  y: number;
  line: number;
  last: number;
  drawing: boolean;
}

export class DragOver {
  readonly connections = getConnections();
  readonly fleet = getFleet();
  readonly selection = getSelection();
  #drag: Drag | null = null;
  #pointer = 0;
  #scrolling = false;

  constructor(readonly list: List) {}

  begin(event: PointerEvent): void {
    // Buttons in a row do something else.
    const target = event.target as HTMLElement;
    if (event.button !== 0 || target.closest('button, a')) return;
    const { connections, fleet, selection } = this;
    const connection = connections.current?.id;
    const line = Number(target.closest<HTMLElement>('[data-line]')?.dataset['line'] ?? -1);
    const device = fleet.idAt(line);
    if (connection === undefined || device === undefined) return;
    fleet.active = line;
    const adds = event.ctrlKey || event.metaKey;
    if (event.shiftKey) {
      // Otherwise the text between is marked.
      event.preventDefault();
      (event.currentTarget as HTMLElement).closest<HTMLElement>('.grid')?.focus({ preventScroll: true });
      selection.rangeTo(connection, device, adds);
      return;
    }
    selection.begin(connection, adds);
    if (adds) selection.toggle(connection, device);
    else selection.only(connection, device);
    this.#drag = { y: event.clientY, line, last: line, drawing: false };
  }

  move(event: PointerEvent): void {
    const drag = this.#drag;
    if (drag === null) return;
    if (event.buttons === 0) return this.end();
    this.#pointer = event.clientY;
    if (!drag.drawing) {
      if (Math.abs(event.clientY - drag.y) < SHAKES || this.list.lineAt(event.clientY) === drag.line) return;
      drag.drawing = true;
      (event.currentTarget as HTMLElement).setPointerCapture?.(event.pointerId);
    }
    this.#draw(drag);
    this.#scroll();
  }

  end(): void {
    this.#drag = null;
  }

  #draw(drag: Drag): void {
    const { connections, fleet, selection } = this;
    const connection = connections.current?.id;
    const to = Math.min(fleet.lines.count - 1, Math.max(0, this.list.lineAt(this.#pointer)));
    if (connection === undefined || to === drag.last) return;
    drag.last = to;
    const devices: string[] = [];
    for (let line = Math.min(drag.line, to); line <= Math.max(drag.line, to); line++) {
      const device = fleet.idAt(line);
      if (device !== undefined) devices.push(device);
    }
    fleet.active = to;
    selection.draw(connection, devices);
  }

  #scroll(): void {
    if (this.#scrolling) return;
    const { top, bottom } = this.list.frame();
    const by = this.#pointer < top ? -PACE : this.#pointer > bottom ? PACE : 0;
    if (by === 0) return;
    this.#scrolling = true;
    requestAnimationFrame(() => {
      this.#scrolling = false;
      if (this.#drag === null) return;
      this.list.scrollBy(by);
      this.#draw(this.#drag);
      this.#scroll();
    });
  }
}
