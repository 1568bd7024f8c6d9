/** The page's timers. Node's know nothing of a page, and would go on without its document. */
const running = new Set<NodeJS.Timeout>();

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

/** Stops them, as closing a window does. */
export function stopTimers(): void {
  for (const timer of running) clearTimeout(timer);
  running.clear();
}
