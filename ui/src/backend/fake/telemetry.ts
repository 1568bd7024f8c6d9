/** Measurements of the invented fleet, the same every time. Devices with an ID that ends in 3 have a wrong clock. */

import type { SeriesView } from '../bindings/SeriesView';
import type { TelemetryQuery } from '../bindings/TelemetryQuery';
import type { TelemetryView } from '../bindings/TelemetryView';

const KEPT = 7 * 24 * 3_600_000;
export const SERIES: { name: string; mean: number; spread: number; period: number }[] = [
  { name: 'temperature', mean: 4.2, spread: 1.1, period: 900_000 },
  { name: 'humidity', mean: 71, spread: 6, period: 3_100_000 },
  { name: 'heap', mean: 148_000, spread: 9_000, period: 240_000 },
  { name: 'rssi', mean: -61, spread: 5, period: 130_000 },
];

export function measurements(query: TelemetryQuery, every: number, now: number): TelemetryView {
  const to = query.to ?? now;
  const from = query.from ?? now - KEPT;
  const step = Math.max(every, (to - from) / Math.max(1, query.points - 1));
  const times: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= Math.min(to, now); at += step) times.push(Math.round(at));
  const remarks = query.device.endsWith('3')
    ? ["The device's clock is 56 years behind, so Wilco shows arrival times. Set the device's clock."]
    : [];
  const last = Math.floor(Math.min(to, now) / every) * every;
  const drawn = SERIES.map((one) => series(one, query.device, times, step / every, last < from ? null : last));
  return { from, to, times, series: drawn, remarks };
}

function series(
  { name, mean, spread, period }: (typeof SERIES)[number],
  device: string,
  times: number[],
  together: number,
  last: number | null,
): SeriesView {
  const phase = [...device].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 6_283, 7) / 1_000;
  const value = (at: number) =>
    mean +
    spread * (0.6 * Math.sin(at / period + phase) + 0.4 * Math.sin(at / (period * 0.13) + 2 * phase)) * 0.8 +
    noise(at) * spread * 0.2;
  const means = times.map(value);
  const around = together > 1 ? spread * 0.25 : 0;
  const lows = means.map((one) => one - around);
  const highs = means.map((one) => one + around);
  return {
    name,
    unit: null,
    latest: last === null ? null : value(last),
    latest_at: last,
    count: Math.round(times.length * together),
    min: lows.length > 0 ? Math.min(...lows) : null,
    max: highs.length > 0 ? Math.max(...highs) : null,
    mean: means.length > 0 ? means.reduce((sum, one) => sum + one, 0) / means.length : null,
    lows,
    highs,
    means,
  };
}

function noise(at: number): number {
  const x = Math.sin(at * 0.000_127) * 43_758.545_3;
  return 2 * (x - Math.floor(x)) - 1;
}
