/** Sizes as people type and read them: `64 MB`, `1.5 GB`. A kB has 1,000 bytes. */

const UNITS = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 };

/** A size as it was typed, in bytes, or what is wrong with it. */
export function bytesOf(typed: string): { ok: true; value: number } | { ok: false; why: string } {
  const text = typed.trim();
  if (text === '') return { ok: false, why: 'Enter a size, for example 64 MB.' };
  const [, number, unit] = /^(\d[\d,]*(?:\.\d+)?)\s*([kmgt]?b)$/i.exec(text) ?? [];
  if (number === undefined || unit === undefined)
    return { ok: false, why: `“${text}” is not a size. Enter a number with its unit, for example 64 MB.` };
  const value = Math.round(Number(number.replaceAll(',', '')) * UNITS[unit.toLowerCase() as keyof typeof UNITS]);
  if (value > 1e15) return { ok: false, why: 'The size is too large.' };
  return { ok: true, value };
}

/** A size in the largest unit that shows every digit with three decimals: `64 MB`, `1.5 GB`. */
export function exactBytes(n: number): string {
  for (const [unit, size] of [
    ['TB', 1e12],
    ['GB', 1e9],
    ['MB', 1e6],
    ['kB', 1e3],
  ] as const) {
    if (n >= size && n % (size / 1e3) === 0) return `${n / size} ${unit}`;
  }
  return `${n} B`;
}
