/** Reading the arguments of a command as they were typed: a JSON object, or nothing. */

export type Arguments = { ok: true; args: Record<string, unknown> } | { ok: false; why: string };

export function readArguments(typed: string): Arguments {
  if (typed.trim() === '') return { ok: true, args: {} };
  let value: unknown;
  try {
    value = JSON.parse(typed);
  } catch {
    return { ok: false, why: 'That is not JSON. Names and text stand in double quotes: {"on": true}.' };
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? { ok: true, args: value as Record<string, unknown> }
    : { ok: false, why: 'Arguments are an object: names and values between { and }.' };
}

/** Why a command cannot be called so; nothing where it can. */
export function nameComplaint(name: string): string | null {
  if (name.trim() === '') return 'Say which command: identify, for instance.';
  return /\s/.test(name.trim()) ? 'A command’s name has no spaces. For a sentence choose Free text.' : null;
}
