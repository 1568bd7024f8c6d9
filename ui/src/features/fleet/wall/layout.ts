/**
 * The position of each tile of the wall. Groups are blocks, blocks beside each other are as deep as each other, and the
 * tiles of a block go down its columns, so that a rollout runs from left to right. All lengths are whole device pixels.
 */

import type { Range } from '../../../format/window';

/** A tile and the gap after it: the largest and the smallest there are, CSS pixels. */
const LARGEST = 24;
const SMALLEST = 3;
/** CSS pixels. */
const HEADING = 22;
const BELOW = 14;
const BETWEEN = 20;
const MOST_BETWEEN = 48;
/** So much room the heading of a small group has. */
const HEADING_WIDTH = 96;
/** A block about so much wider than deep is easiest to take in. */
const SHAPE = 2.2;
/** More rows of blocks are not tried. */
const MOST_SHELVES = 24;

interface Group {
  from: number;
  count: number;
}

export interface Block {
  /** Its place among the groups. */
  group: number;
  /** The place of its first device in the list. */
  from: number;
  count: number;
  /** Where its heading begins. */
  x: number;
  y: number;
  /** Where its tiles begin. */
  top: number;
  /** The number of tiles in each of its columns but the last. */
  deep: number;
  columns: number;
  /** The room up to the next block. */
  room: number;
}

export interface Layout {
  blocks: readonly Block[];
  /** From one tile to the next: across and down. */
  pitch: number;
  rise: number;
  /** Between two tiles. */
  gap: number;
  height: number;
}

export interface Room {
  width: number;
  height: number;
  /** Device pixels in a CSS pixel. */
  ratio: number;
}

export interface Rectangle {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Fills the room with the largest tiles that fit, or with tiles of a given pitch, however high that becomes. */
export function layOut(groups: readonly Group[], room: Room, pitch: number | null = null): Layout {
  if (pitch !== null) return closest(candidates(groups, room, 2 * pitch));
  // In halves: a tile may be one pixel taller than wide.
  let low = 2 * smallest(room.ratio);
  let high = 2 * largest(room.ratio);
  const fitting = (twice: number) => candidates(groups, room, twice).filter(({ height }) => height <= room.height);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fitting(middle).length > 0) low = middle;
    else high = middle - 1;
  }
  const fits = fitting(low);
  return closest(fits.length > 0 ? fits : candidates(groups, room, low));
}

/** The largest pitch when zoomed in. */
function largest(ratio: number): number {
  return Math.round(LARGEST * ratio);
}

function smallest(ratio: number): number {
  return Math.max(2, Math.round(SMALLEST * ratio));
}

/** The pitch one step further in (1) or out (-1). */
export function zoomed(pitch: number, by: 1 | -1, ratio: number): number {
  const next = by > 0 ? Math.max(pitch + 1, Math.round(pitch * 1.25)) : Math.min(pitch - 1, Math.round(pitch / 1.25));
  return Math.min(2 * largest(ratio), Math.max(smallest(ratio), next));
}

type Candidate = Layout & { shape: number };

function closest(all: Candidate[]): Layout {
  const off = ({ shape }: Candidate) => Math.abs(Math.log(shape / SHAPE));
  const best = all.reduce((one, other) => (off(other) < off(one) ? other : one));
  const { blocks, pitch, rise, gap, height } = best;
  return { blocks, pitch, rise, gap, height };
}

/** The wall with as many rows of blocks as make sense. */
function candidates(groups: readonly Group[], room: Room, twice: number): Candidate[] {
  const most = Math.max(1, Math.min(MOST_SHELVES, groups.length));
  return Array.from({ length: most }, (_, i) => shelved(groups, room, twice, i + 1));
}

function shelved(groups: readonly Group[], room: Room, twice: number, shelves: number): Candidate {
  const { ratio } = room;
  const px = (css: number) => Math.round(css * ratio);
  const pitch = Math.floor(twice / 2);
  const rise = Math.ceil(twice / 2);
  const gap = gapOf(pitch, ratio);
  const least = Math.max(1, Math.min(Math.ceil(px(HEADING_WIDTH) / pitch), Math.floor(room.width / pitch)));
  const blocks: Block[] = [];
  let y = 0;
  let shape = 0;
  for (const shelf of onShelves(groups, shelves, Math.max(1, Math.floor(room.width / (least * pitch + px(BETWEEN)))))) {
    const between = shelf.length - 1;
    const columns = Math.max(shelf.length, Math.floor((room.width - px(BETWEEN) * between) / pitch));
    const deep = depthOf(shelf, columns, least);
    const taken = shelf.reduce((sum, { count }) => sum + Math.max(least, Math.ceil(count / deep)) * pitch, 0);
    // The remaining room is distributed between the blocks, so that the wall fills its width.
    const gutter = Math.min(px(MOST_BETWEEN), between === 0 ? 0 : Math.floor((room.width - taken + gap) / between));
    let x = 0;
    for (const { group, from, count } of shelf) {
      const across = Math.ceil(count / deep);
      const width = Math.max(least, across) * pitch + gutter;
      blocks.push({
        group,
        from,
        count,
        x,
        y,
        top: y + px(HEADING),
        deep: Math.min(deep, count),
        columns: across,
        room: width,
      });
      shape += (across * pitch) / (Math.min(deep, count) * rise) / groups.length;
      x += width;
    }
    y += px(HEADING) + deep * rise + px(BELOW);
  }
  return { blocks, pitch, rise, gap, height: Math.max(0, y - px(BELOW)), shape };
}

function gapOf(pitch: number, ratio: number): number {
  if (pitch >= 8 * ratio) return Math.round(2 * ratio);
  return pitch >= 3 ? Math.max(1, Math.floor(ratio)) : 0;
}

/** Groups in their order, about as many devices in each row, and no more blocks in one than have room. */
function onShelves(groups: readonly Group[], shelves: number, most: number): (Group & { group: number })[][] {
  const all = groups.reduce((sum, { count }) => sum + count, 0);
  const rows: (Group & { group: number })[][] = [];
  let before = 0;
  let shelf = -1;
  groups.forEach(({ from, count }, group) => {
    const wanted = Math.min(shelves - 1, Math.floor(((before + count / 2) / Math.max(1, all)) * shelves));
    const row = rows.at(-1);
    if (row && wanted <= shelf && row.length < most) row.push({ group, from, count });
    else rows.push([{ group, from, count }]);
    shelf = Math.max(shelf, wanted);
    before += count;
  });
  return rows;
}

/** The smallest depth at which all blocks fit beside each other. */
function depthOf(groups: readonly Group[], columns: number, least: number): number {
  let low = 1;
  let high = groups.reduce((most, { count }) => Math.max(most, count), 1);
  while (low < high) {
    const middle = (low + high) >> 1;
    const needed = groups.reduce((sum, { count }) => sum + Math.max(least, Math.ceil(count / middle)), 0);
    if (needed <= columns) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The block of a device, by its place in the list. */
export function blockOf({ blocks }: Layout, place: number): Block | undefined {
  return blocks.find(({ from, count }) => place >= from && place < from + count);
}

/** The position of a tile. */
export function positionOf(layout: Layout, place: number): { x: number; y: number } | null {
  const block = blockOf(layout, place);
  if (!block) return null;
  const at = place - block.from;
  return {
    x: block.x + Math.floor(at / block.deep) * layout.pitch,
    y: block.top + (at % block.deep) * layout.rise,
  };
}

/** The device at a point, -1 for none. The gap after a tile belongs to it. */
export function placeAt(layout: Layout, x: number, y: number): number {
  for (const block of layout.blocks) {
    const column = Math.floor((x - block.x) / layout.pitch);
    const row = Math.floor((y - block.top) / layout.rise);
    if (column < 0 || column >= block.columns || row < 0 || row >= block.deep) continue;
    const at = column * block.deep + row;
    if (at < block.count) return block.from + at;
  }
  return -1;
}

/** The devices whose tiles a rectangle touches, as ranges of places. */
export function placesIn(layout: Layout, { left, top, right, bottom }: Rectangle): Range[] {
  const { pitch, rise, gap } = layout;
  const found: Range[] = [];
  for (const block of layout.blocks) {
    const first = Math.max(0, Math.ceil((left - block.x - (pitch - gap)) / pitch));
    const last = Math.min(block.columns - 1, Math.floor((right - block.x) / pitch));
    const above = Math.max(0, Math.ceil((top - block.top - (rise - gap)) / rise));
    const below = Math.min(block.deep - 1, Math.floor((bottom - block.top) / rise));
    for (let column = first; column <= last; column++) {
      const from = block.from + column * block.deep + above;
      const to = Math.min(block.from + block.count, block.from + column * block.deep + below + 1);
      if (from < to) found.push({ from, to });
    }
  }
  return found;
}

export type Direction = 'up' | 'down' | 'left' | 'right';

/** The tile beside another one; beyond a block's edge the nearest of the next block. The same one where there is none. */
export function beside(layout: Layout, place: number, direction: Direction): number {
  const block = blockOf(layout, place);
  const here = positionOf(layout, place);
  if (!block || !here) return place;
  const at = place - block.from;
  const row = at % block.deep;
  const next = { up: at - 1, down: at + 1, left: at - block.deep, right: at + block.deep }[direction];
  const stays = direction === 'up' ? row > 0 : direction === 'down' ? row < block.deep - 1 : true;
  if (stays && next >= 0 && next < block.count) return block.from + next;
  // Beside the last column, which may be short, is its last tile.
  if (direction === 'right' && Math.floor(at / block.deep) < block.columns - 1) return block.from + block.count - 1;
  let best = place;
  let least = Infinity;
  for (const other of layout.blocks) {
    if (other === block || !lies(other, block, direction)) continue;
    const near = nearestIn(layout, other, here.x, here.y);
    const there = positionOf(layout, near);
    if (!there) continue;
    const along = direction === 'up' || direction === 'down' ? there.y - here.y : there.x - here.x;
    const across = direction === 'up' || direction === 'down' ? there.x - here.x : there.y - here.y;
    const distance = Math.abs(along) + 2 * Math.abs(across);
    if (distance < least) [best, least] = [near, distance];
  }
  return best;
}

function lies(other: Block, block: Block, direction: Direction): boolean {
  if (direction === 'up') return other.y < block.y;
  if (direction === 'down') return other.y > block.y;
  return other.y === block.y && (direction === 'left' ? other.x < block.x : other.x > block.x);
}

function nearestIn({ pitch, rise }: Layout, block: Block, x: number, y: number): number {
  const column = Math.min(block.columns - 1, Math.max(0, Math.round((x - block.x) / pitch)));
  const row = Math.min(block.deep - 1, Math.max(0, Math.round((y - block.top) / rise)));
  return block.from + Math.min(block.count - 1, column * block.deep + row);
}
