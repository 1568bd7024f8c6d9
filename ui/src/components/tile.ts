/** One device as a tile: the colour shows the state, the filled height the rung, and the shape the outcome. */

import type { CommandState } from '../backend/bindings/CommandState';
import type { Presence } from '../backend/bindings/Presence';

/** Steps by which a measurement is shown, from the lowest to the highest. */
export const LEVELS = 8;

export type Look =
  | 'idle'
  | 'offline'
  | 'online'
  | 'waiting'
  | 'sent'
  | 'at_broker'
  | 'accepted'
  | 'succeeded'
  | 'unconfirmed'
  | 'failed'
  | 'timed_out'
  | 'struck'
  | `level_${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7}`;

/** All of them: a look's number is its place here. */
export const LOOKS: readonly Look[] = [
  ...(['idle', 'offline', 'online', 'waiting', 'sent', 'at_broker', 'accepted', 'succeeded'] as const),
  ...(['unconfirmed', 'failed', 'timed_out', 'struck'] as const),
  ...(['level_0', 'level_1', 'level_2', 'level_3', 'level_4', 'level_5', 'level_6', 'level_7'] as const),
];

const OF_STATE: Record<CommandState, Look> = {
  queued: 'waiting',
  held: 'waiting',
  sent: 'sent',
  at_broker: 'at_broker',
  accepted: 'accepted',
  running: 'accepted',
  succeeded: 'succeeded',
  failed: 'failed',
  rejected: 'failed',
  undeliverable: 'failed',
  unconfirmed: 'unconfirmed',
  timed_out: 'timed_out',
  expired: 'struck',
  cancelled: 'struck',
};

/** By the last command's state; a device without a command shows whether it is offline. */
export function lookOfState(state: CommandState | null, presence: Presence): Look {
  if (state !== null) return OF_STATE[state];
  return presence === 'offline' ? 'offline' : 'idle';
}

export function lookOfPresence(presence: Presence): Look {
  return presence === 'unknown' ? 'idle' : presence;
}

/** By a measurement between the lowest and the highest of all; `idle` where nothing was measured. */
export function lookOfValue(value: number | null | undefined, low: number, high: number): Look {
  if (value === null || value === undefined) return 'idle';
  const share = high > low ? (value - low) / (high - low) : 0.5;
  const level = Math.min(LEVELS - 1, Math.max(0, Math.floor(share * LEVELS)));
  return LOOKS[LOOKS.indexOf('level_0') + level] ?? 'idle';
}

/** The filled share of those that climb. */
const FILLED: Partial<Record<Look, { share: number; colour: string }>> = {
  waiting: { share: 0, colour: 'queued-fill' },
  sent: { share: 0.25, colour: 'sent-fill' },
  at_broker: { share: 0.5, colour: 'at-broker-fill' },
  accepted: { share: 0.75, colour: 'accepted-fill' },
  succeeded: { share: 1, colour: 'succeeded-fill' },
  online: { share: 1, colour: 'online' },
};

const OUTLINED: Partial<Record<Look, { width: number; colour: string }>> = {
  offline: { width: 1, colour: 'tile-offline' },
  unconfirmed: { width: 2, colour: 'at-broker-fill' },
  timed_out: { width: 2, colour: 'timed-out-fill' },
  struck: { width: 2, colour: 'struck-fill' },
};

/** A colour of the design tokens, by its name without the dashes. */
export type Colour = (name: string) => string;

/** Draws a tile; its place and size are in the canvas's own units. Narrow ones have thinner lines. */
export function tile(
  c: CanvasRenderingContext2D,
  colour: Colour,
  look: Look,
  x: number,
  y: number,
  width: number,
  height = width,
): void {
  const small = Math.min(width, height);
  const outline = OUTLINED[look];
  if (outline) {
    const line = Math.min(outline.width, small > 5 ? outline.width : 1);
    c.fillStyle = colour(outline.colour);
    c.fillRect(x, y, width, height);
    if (small > 2) c.clearRect(x + line, y + line, width - 2 * line, height - 2 * line);
    return;
  }
  if (look === 'failed') return cross(c, colour, x, y, width, height);
  const filled = look.startsWith('level_') ? level(Number(look.slice(6))) : FILLED[look];
  if (!filled || filled.share === 0) {
    c.fillStyle = colour('tile-idle');
    c.fillRect(x, y, width, height);
  }
  if (!filled) return;
  const deep = Math.max(1, Math.round(height * filled.share));
  c.fillStyle = colour(filled.colour);
  if (filled.share > 0) {
    c.globalAlpha = 0.28;
    c.fillRect(x, y, width, height - deep);
    c.globalAlpha = 1;
  }
  // A waiting command is on the lowest rung: a line, where there is room for one.
  if (filled.share > 0 || small > 4) c.fillRect(x, y + height - deep, width, deep);
}

function level(step: number): { share: number; colour: string } {
  return { share: (step + 1) / LEVELS, colour: `level-${step}` };
}

function cross(c: CanvasRenderingContext2D, colour: Colour, x: number, y: number, width: number, height: number): void {
  c.fillStyle = colour('failed-fill');
  c.fillRect(x, y, width, height);
  if (Math.min(width, height) < 5) return;
  c.strokeStyle = colour('bg-surface');
  c.lineWidth = width > 7 ? 1.5 : 1;
  c.beginPath();
  c.moveTo(x + 1.5, y + 1.5);
  c.lineTo(x + width - 1.5, y + height - 1.5);
  c.moveTo(x + width - 1.5, y + 1.5);
  c.lineTo(x + 1.5, y + height - 1.5);
  c.stroke();
}
