const grouped = new Intl.NumberFormat('en');

/** A number with thousands separators: `1,284,906`. */
export function count(n: number): string {
  return grouped.format(n);
}

/** A number and its noun: `1 device`, `8,046 devices`. */
export function counted(n: number, noun: string, plural = `${noun}s`): string {
  return `${count(n)} ${n === 1 ? noun : plural}`;
}

/** Messages a second: `38/s`, and `0.4/s` below ten. */
export function rate(perSecond: number): string {
  return perSecond > 0 && perSecond < 9.95 ? `${perSecond.toFixed(1)}/s` : `${count(Math.round(perSecond))}/s`;
}

/** A size in bytes: `186 B`, `12.4 kB`, `1.0 GB`. */
export function bytes(n: number): string {
  if (n < 1_000) return `${n} B`;
  if (n < 1_000_000) return `${(n / 1_000).toFixed(1)} kB`;
  return n < 1_000_000_000 ? `${(n / 1_000_000).toFixed(1)} MB` : `${(n / 1_000_000_000).toFixed(1)} GB`;
}
