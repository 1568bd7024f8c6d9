/** Draws the tiles into the pixels of a canvas. A hundred thousand are copied from a few stamps; none is an object. */

import type { Layout, Rectangle } from './layout';
import { blockOf } from './layout';

/** The pixels of a tile and its gap, row by row, for each look; selected ones follow after those that are not. */
export interface Stamps {
  width: number;
  height: number;
  pixels: readonly Uint32Array[];
}

/** The visible part of the wall. All lengths are device pixels. */
export interface Screen {
  width: number;
  height: number;
  pixels: Uint32Array;
}

export class Painter {
  /** The number of each device's look, and whether it is selected. */
  looks = new Uint8Array(0);
  selected = new Uint8Array(0);

  constructor(
    /** How many looks there are. */
    readonly count: number,
  ) {}

  /** Draws everything that is seen. */
  paint(screen: Screen, layout: Layout, stamps: Stamps, scroll: number): void {
    screen.pixels.fill(0);
    for (const block of layout.blocks) {
      if (block.top + block.deep * layout.rise <= scroll || block.top >= scroll + screen.height) continue;
      const first = Math.max(0, Math.floor((scroll - block.top) / layout.rise));
      const last = Math.min(block.deep, Math.ceil((scroll + screen.height - block.top) / layout.rise));
      for (let column = 0; column < block.columns; column++) {
        const x = block.x + column * layout.pitch;
        const end = Math.min(last, block.count - column * block.deep);
        for (let row = first; row < end; row++) {
          const place = block.from + column * block.deep + row;
          this.#stamp(screen, stamps, place, x, block.top + row * layout.rise - scroll);
        }
      }
    }
  }

  /** Draws a few tiles again; the part of the screen that is another one by that, or nothing. */
  patch(screen: Screen, layout: Layout, stamps: Stamps, scroll: number, places: Iterable<number>): Rectangle | null {
    let dirty: Rectangle | null = null;
    let block = layout.blocks[0];
    for (const place of places) {
      if (!block || place < block.from || place >= block.from + block.count) block = blockOf(layout, place);
      if (!block) continue;
      const at = place - block.from;
      const left = block.x + Math.floor(at / block.deep) * layout.pitch;
      const top = block.top + (at % block.deep) * layout.rise - scroll;
      const right = Math.min(screen.width, left + stamps.width);
      const bottom = Math.min(screen.height, top + stamps.height);
      if (bottom <= 0 || top >= screen.height || right <= left) continue;
      this.#stamp(screen, stamps, place, left, top);
      dirty ??= { left, top: Math.max(0, top), right, bottom };
      dirty.left = Math.min(dirty.left, left);
      dirty.top = Math.min(dirty.top, Math.max(0, top));
      dirty.right = Math.max(dirty.right, right);
      dirty.bottom = Math.max(dirty.bottom, bottom);
    }
    return dirty;
  }

  #stamp(screen: Screen, stamps: Stamps, place: number, x: number, y: number): void {
    const look = (this.looks[place] ?? 0) + (this.selected[place] === 1 ? this.count : 0);
    const stamp = stamps.pixels[look];
    if (!stamp) return;
    const { width } = stamps;
    const across = Math.min(width, screen.width - x);
    const from = Math.max(0, -y);
    const to = Math.min(stamps.height, screen.height - y);
    for (let row = from; row < to; row++) {
      let source = row * width;
      let target = (y + row) * screen.width + x;
      for (let i = 0; i < across; i++) screen.pixels[target++] = stamp[source++] ?? 0;
    }
  }
}
