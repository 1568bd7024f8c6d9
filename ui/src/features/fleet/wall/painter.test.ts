import { describe, expect, it } from 'vitest';

import { layOut, positionOf } from './layout';
import { Painter, type Screen, type Stamps } from './painter';

const ROOM = { width: 60, height: 50, ratio: 1 };
const GROUPS = [{ from: 0, count: 30 }];
const LOOKS = 3;

function wall(pitch: number) {
  const layout = layOut(GROUPS, ROOM, pitch);
  const size = layout.pitch * layout.rise;
  // Each stamp is of one colour: its number, so that a tile tells what it was drawn with.
  const stamps: Stamps = {
    width: layout.pitch,
    height: layout.rise,
    pixels: Array.from({ length: 2 * LOOKS }, (_, look) => new Uint32Array(size).fill(look + 1)),
  };
  const screen: Screen = { width: ROOM.width, height: ROOM.height, pixels: new Uint32Array(ROOM.width * ROOM.height) };
  const painter = new Painter(LOOKS);
  painter.looks = Uint8Array.from({ length: 30 }, (_, place) => place % LOOKS);
  painter.selected = new Uint8Array(30);
  const colourOf = (place: number, scroll = 0) => {
    const { x, y } = positionOf(layout, place) ?? { x: -1, y: -1 };
    return screen.pixels[(y - scroll) * ROOM.width + x];
  };
  return { layout, stamps, screen, painter, colourOf };
}

describe('the painter', () => {
  it('gives every tile its look, and a selected one that of the selected', () => {
    const { layout, stamps, screen, painter, colourOf } = wall(4);
    painter.selected[7] = 1;
    painter.paint(screen, layout, stamps, 0);
    for (let place = 0; place < 30; place++) {
      expect(colourOf(place)).toBe(1 + (place % LOOKS) + (place === 7 ? LOOKS : 0));
    }
  });

  it('draws a change of one tile and nothing else, and reports its area', () => {
    const { layout, stamps, screen, painter } = wall(4);
    painter.paint(screen, layout, stamps, 0);
    const before = screen.pixels.slice();
    painter.looks[11] = 0;
    const { x, y } = positionOf(layout, 11) ?? { x: -1, y: -1 };
    const dirty = painter.patch(screen, layout, stamps, 0, [11]);
    expect(dirty).toEqual({ left: x, top: y, right: x + layout.pitch, bottom: y + layout.rise });
    screen.pixels.forEach((pixel, at) => {
      const [px, py] = [at % ROOM.width, Math.floor(at / ROOM.width)];
      const within = px >= x && px < x + layout.pitch && py >= y && py < y + layout.rise;
      expect(pixel).toBe(within ? 1 : before[at]);
    });
  });

  it('gives the same result with patches as with a full redraw', () => {
    const { layout, stamps, screen, painter } = wall(11);
    const scroll = 17;
    painter.paint(screen, layout, stamps, scroll);
    for (let place = 0; place < 30; place += 3) painter.looks[place] = 2;
    painter.patch(screen, layout, stamps, scroll, painter.looks.keys());
    const patched = screen.pixels.slice();
    painter.paint(screen, layout, stamps, scroll);
    expect(patched).toEqual(screen.pixels);
  });

  it('leaves alone what is out of sight', () => {
    const { layout, stamps, screen, painter } = wall(11);
    expect(layout.height).toBeGreaterThan(ROOM.height + 20);
    painter.paint(screen, layout, stamps, layout.height - ROOM.height);
    expect(painter.patch(screen, layout, stamps, layout.height - ROOM.height, [0])).toBeNull();
    expect(painter.patch(screen, layout, stamps, 0, [1_000])).toBeNull();
  });
});
