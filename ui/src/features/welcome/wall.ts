/** Tiles of a fan-out: colour says the state, the filled height the rung, the shape how it ended. */

type Tile = 'queued' | 'sent' | 'at_broker' | 'accepted' | 'succeeded' | 'failed' | 'timed_out' | 'offline';

const FILLED = { sent: 0.25, at_broker: 0.5, accepted: 0.75, succeeded: 1 };

export function tile(
  c: CanvasRenderingContext2D,
  colour: (name: string) => string,
  state: Tile,
  x: number,
  y: number,
  size: number,
): void {
  switch (state) {
    case 'queued':
      c.fillStyle = colour('tile-idle');
      c.fillRect(x, y, size, size);
      return;
    case 'offline':
      c.strokeStyle = colour('tile-offline');
      c.lineWidth = 1;
      c.strokeRect(x + 0.5, y + 0.5, size - 1, size - 1);
      return;
    case 'failed':
      c.fillStyle = colour('failed-fill');
      c.fillRect(x, y, size, size);
      c.strokeStyle = colour('bg-surface');
      c.lineWidth = 1.5;
      c.beginPath();
      c.moveTo(x + 1.5, y + 1.5);
      c.lineTo(x + size - 1.5, y + size - 1.5);
      c.moveTo(x + size - 1.5, y + 1.5);
      c.lineTo(x + 1.5, y + size - 1.5);
      c.stroke();
      return;
    case 'timed_out':
      c.strokeStyle = colour('timed-out-fill');
      c.lineWidth = 2;
      c.strokeRect(x + 1, y + 1, size - 2, size - 2);
      return;
    default: {
      const height = Math.max(1, Math.round(size * FILLED[state]));
      c.fillStyle = colour(`${state.replace('_', '-')}-fill`);
      c.globalAlpha = 0.28;
      c.fillRect(x, y, size, size - height);
      c.globalAlpha = 1;
      c.fillRect(x, y + size - height, size, height);
    }
  }
}

/** What each device of a fan-out is doing 5.6 s after it began. */
export function fanOut(count: number): Tile[] {
  const next = random(7);
  return Array.from({ length: count }, (_, i): Tile => {
    const since = 5.6 - (i / count) * 10 - next() * 0.25;
    const fate = next();
    const pace = 0.35 + next() * next() * 2.2;
    if (fate < 0.022) return 'offline';
    if (since < 0) return 'queued';
    if (since < 0.14) return 'sent';
    if (since < 0.16 + pace * 0.42) return 'at_broker';
    if (fate < 0.03) return since > 3 ? 'timed_out' : 'at_broker';
    if (since < 0.2 + pace * 1.15) return 'accepted';
    return fate < 0.037 ? 'failed' : 'succeeded';
  });
}

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
