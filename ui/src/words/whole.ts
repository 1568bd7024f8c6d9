/** A whole number as it was typed, or what is wrong with it. */
export function whole(typed: string): { ok: true; value: number } | { ok: false; why: string } {
  const text = typed.trim().replaceAll(/[,  ]/g, '');
  if (text === '') return { ok: false, why: 'Write a number.' };
  if (!/^\d+$/.test(text)) return { ok: false, why: `“${typed.trim()}” is no whole number.` };
  if (text.length > 9) return { ok: false, why: 'That is more than there can be.' };
  return { ok: true, value: Number(text) };
}
