/** The page's timers and frames. Node's timers know nothing of a page, and would continue without its document. */
const running = new Set<NodeJS.Timeout>();
const frames = new Set<number>();

function kept<T extends typeof setTimeout | typeof setInterval>(starter: T): T {
  return new Proxy(starter, {
    apply(start, page, values) {
      const timer = Reflect.apply(start, page, values) as NodeJS.Timeout;
      running.add(timer);
      return timer;
    },
  });
}
globalThis.setTimeout = kept(globalThis.setTimeout);
globalThis.setInterval = kept(globalThis.setInterval);

const requestFrame = globalThis.requestAnimationFrame;
globalThis.requestAnimationFrame = (draw) => {
  const frame = requestFrame((now) => {
    frames.delete(frame);
    draw(now);
  });
  frames.add(frame);
  return frame;
};

/** Stops them, as closing a window does. */
export function stopTimers(): void {
  // Frames first: jsdom runs one of these timers while a frame is pending, and never starts another one if it is cleared.
  for (const frame of frames) cancelAnimationFrame(frame);
  frames.clear();
  for (const timer of running) clearTimeout(timer);
  running.clear();
}
