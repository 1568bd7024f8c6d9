/** Draws each appearance of a tile once, in the current size and colours. */

import { LOOKS, tile, type Colour } from '../../../components/tile';
import type { Layout } from './layout';
import type { Stamps } from './painter';

/** A tile is a stamp with its gap; that of a selected one is filled with the colour of the focus. Nothing without a canvas. */
export function stampsOf({ pitch, rise, gap }: Layout, colour: Colour): Stamps | null {
  const canvas = document.createElement('canvas');
  canvas.width = pitch;
  canvas.height = rise;
  const c = canvas.getContext('2d', { willReadFrequently: true });
  if (!c) return null;
  const drawn = (selected: boolean) =>
    LOOKS.map((look) => {
      c.clearRect(0, 0, pitch, rise);
      tile(c, colour, look, 0, 0, pitch - gap, rise - gap);
      if (selected) mark(c, colour, pitch, rise, gap);
      return new Uint32Array(c.getImageData(0, 0, pitch, rise).data.buffer);
    });
  return { width: pitch, height: rise, pixels: [...drawn(false), ...drawn(true)] };
}

/** A frame of the focus' colour; where a tile is too small for one, the colour over all of it. */
function mark(c: CanvasRenderingContext2D, colour: Colour, pitch: number, rise: number, gap: number): void {
  c.fillStyle = colour('focus');
  if (pitch < 6) {
    c.globalAlpha = 0.6;
    c.fillRect(0, 0, pitch, rise);
    c.globalAlpha = 1;
    return;
  }
  const line = Math.max(1, gap);
  c.fillRect(0, 0, pitch, 1);
  c.fillRect(0, 0, 1, rise);
  c.fillRect(0, rise - line, pitch, line);
  c.fillRect(pitch - line, 0, line, rise);
}
