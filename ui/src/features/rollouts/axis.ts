/** The ticks of a time axis: about six round numbers of milliseconds from 0 to its end. */
export function axis(whole: number, about = 6): number[] {
  if (!(whole > 0)) return [0];
  const rough = whole / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 4, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  return Array.from({ length: Math.floor(whole / step + 1e-9) + 1 }, (_, i) => i * step);
}

/** `0`, `400 ms`, `1.2 s`, `2 min`: as short as a mark may be. */
export function tickText(ms: number): string {
  if (ms === 0) return '0';
  const [number, unit] = ms < 1_000 ? [ms, 'ms'] : ms < 120_000 ? [ms / 1_000, 's'] : [ms / 60_000, 'min'];
  return `${Number(number.toFixed(2))} ${unit}`;
}
