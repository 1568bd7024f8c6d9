/** How long the invented devices took to answer. */

import type { CommandView } from '../bindings/CommandView';
import { STATES_FROM_DEVICE } from '../bindings/Constants';
import type { TimesQuery } from '../bindings/TimesQuery';
import type { TimesView } from '../bindings/TimesView';

const ROUND = [1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1800, 3600, 7200];

/** `firmwareOf`: what a device reports now. */
export function timesOf(
  commands: CommandView[],
  query: TimesQuery,
  firmwareOf: (device: string) => string | null,
): TimesView[] {
  const found = new Map<string | null, number[]>();
  for (const { device, command, state, by, sent_at, finished_at } of commands) {
    if (query.device !== null && device !== query.device) continue;
    if (!STATES_FROM_DEVICE.includes(state) || by !== 'you' || sent_at === null || finished_at === null) continue;
    const name = { command, device, firmware: firmwareOf(device) }[query.by];
    const times = found.get(name) ?? [];
    times.push(Math.max(0, finished_at - sent_at));
    found.set(name, times);
  }
  const views = [...found].map(([name, times]) => viewOf(name, times));
  const byName = (a: TimesView, b: TimesView) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1);
  return views.sort((a, b) => (query.by === 'device' ? b.p95_ms - a.p95_ms : byName(a, b)));
}

export function viewOf(name: string | null, times: number[]): TimesView {
  times.sort((a, b) => a - b);
  const max_ms = times.at(-1) ?? 0;
  const within = (percent: number) => times[Math.max(1, Math.ceil((times.length * percent) / 100)) - 1] ?? max_ms;
  const [p50_ms, p95_ms, p99_ms] = [within(50), within(95), within(99)];
  const least = Math.max(p99_ms * 3, max_ms * 1.25);
  const round = ROUND.find((seconds) => seconds * 1_000 >= least);
  return {
    name,
    count: times.length,
    p50_ms,
    p95_ms,
    p99_ms,
    max_ms,
    slow_after_ms: times.length >= 5 ? Math.max(p95_ms * 1.5, p50_ms + 250) : null,
    suggested_timeout_ms: times.length >= 20 && round !== undefined ? round * 1_000 : null,
  };
}
