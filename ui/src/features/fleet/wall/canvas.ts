/** The wall's canvas: changes are collected and drawn with the next frame. Without a change there is no frame. */

import { LOOKS, type Colour } from '../../../components/tile';
import type { Layout } from './layout';
import { Painter, type Screen, type Stamps } from './painter';
import { stampsOf } from './stamps';

/** From so many tiles on it is quicker to draw all that is seen. */
const MANY = 20_000;

export class TileCanvas {
  readonly painter = new Painter(LOOKS.length);
  #layout: Layout | null = null;
  #stamps: Stamps | null = null;
  #screen: Screen | null = null;
  #image: ImageData | null = null;
  #scroll = 0;
  #whole = true;
  #places: number[] = [];
  #frame = 0;

  constructor(readonly canvas: HTMLCanvasElement) {}

  /** The size of what is seen, device pixels. */
  resize(width: number, height: number): void {
    this.#image = null;
    this.canvas.width = width;
    this.canvas.height = height;
    const c = this.canvas.getContext('2d');
    if (!c || width < 1 || height < 1) return;
    this.#image = c.createImageData(width, height);
    this.#screen = { width, height, pixels: new Uint32Array(this.#image.data.buffer) };
    this.repaint();
  }

  show(layout: Layout): void {
    this.#layout = layout;
    this.recolour();
  }

  /** The colours or the size of the tiles are others. */
  recolour(): void {
    this.#stamps = null;
    this.repaint();
  }

  /** How far the wall is scrolled, device pixels. */
  scrollTo(top: number): void {
    if (top === this.#scroll) return;
    this.#scroll = top;
    this.repaint();
  }

  repaint(): void {
    this.#whole = true;
    this.#places = [];
    this.#ask();
  }

  /** These devices look different. */
  patch(places: Iterable<number>): void {
    if (this.#whole) return;
    for (const place of places) this.#places.push(place);
    if (this.#places.length > MANY) this.repaint();
    else this.#ask();
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  #ask(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    this.#frame = 0;
    const c = this.canvas.getContext('2d');
    if (!c || !this.#image || !this.#screen || !this.#layout) return;
    const style = getComputedStyle(this.canvas);
    const colour: Colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this.#stamps ??= stampsOf(this.#layout, colour);
    if (!this.#stamps) return;
    if (this.#whole) {
      this.painter.paint(this.#screen, this.#layout, this.#stamps, this.#scroll);
      c.putImageData(this.#image, 0, 0);
    } else {
      const dirty = this.painter.patch(this.#screen, this.#layout, this.#stamps, this.#scroll, this.#places);
      if (dirty) {
        const { left, top, right, bottom } = dirty;
        c.putImageData(this.#image, 0, 0, left, top, right - left, bottom - top);
      }
    }
    this.#whole = false;
    this.#places = [];
  }
}
