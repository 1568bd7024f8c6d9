/** A typed whole number, or its error. */
export function whole(typed: string): { ok: true; value: number } | { ok: false; why: string } {
  const text = typed.trim().replaceAll(/[,  ]/g, '');
  if (text === '') return { ok: false, why: 'Enter a number.' };
  if (!/^\d+$/.test(text)) return { ok: false, why: `“${typed.trim()}” is not a whole number.` };
  if (text.length > 9) return { ok: false, why: 'The number is too large.' };
  return { ok: true, value: Number(text) };
}
