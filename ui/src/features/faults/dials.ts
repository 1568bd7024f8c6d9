/** The fault dials as a form: typed percentages, and the faults of virtual devices that they stand for. */

import type { FaultDials } from '../../backend/bindings/FaultDials';
import { count } from '../../format/count';

/** The dials that are percentages, with their labels. */
export const SHARES = [
  { dial: 'fail', label: 'Command fails' },
  { dial: 'slow', label: 'Command is slow' },
  { dial: 'restart', label: 'Restart during a command' },
  { dial: 'offline', label: 'Devices offline' },
  { dial: 'drop', label: 'Answer is lost' },
  { dial: 'duplicate', label: 'Answer is sent twice' },
  { dial: 'reorder', label: 'Answer is out of order' },
  { dial: 'wrong_id', label: 'Answer has a wrong ID' },
  { dial: 'malformed', label: 'Answer is truncated' },
] as const;

type Share = (typeof SHARES)[number]['dial'];

/** As it is typed: shares in per cent. */
export type DialTexts = Record<Share | 'delay_ms' | 'seed', string>;

export const NO_FAULTS: FaultDials = {
  drop: 0,
  duplicate: 0,
  reorder: 0,
  wrong_id: 0,
  malformed: 0,
  fail: 0,
  slow: 0,
  restart: 0,
  offline: 0,
  delay_ms: 0,
  seed: 1,
};

/** The dials as they are typed; what is off is empty. */
export function textsOf(dials: FaultDials): DialTexts {
  const share = (value: number) => (value === 0 ? '' : String(Number((value * 100).toFixed(4))));
  const texts = Object.fromEntries(SHARES.map(({ dial }) => [dial, share(dials[dial])])) as Record<Share, string>;
  return { ...texts, delay_ms: dials.delay_ms === 0 ? '' : String(dials.delay_ms), seed: String(dials.seed) };
}

/** The errors of the typed values, by field. */
export function wrongDials(texts: DialTexts): Partial<Record<keyof DialTexts, string>> {
  const wrong: Partial<Record<keyof DialTexts, string>> = {};
  for (const { dial } of SHARES) if (percent(texts[dial]) === null) wrong[dial] = 'Enter a percentage from 0 to 100.';
  if (whole(texts.delay_ms, 60_000) === null) wrong.delay_ms = 'Enter a whole number up to 60,000.';
  if (texts.seed.trim() === '' || whole(texts.seed, 4_294_967_295) === null)
    wrong.seed = 'Enter a whole number up to 4,294,967,295.';
  return wrong;
}

/** The dials that were typed; nothing where something is wrong. */
export function dialsOf(texts: DialTexts): FaultDials | null {
  if (Object.keys(wrongDials(texts)).length > 0) return null;
  const shares = Object.fromEntries(SHARES.map(({ dial }) => [dial, (percent(texts[dial]) ?? 0) / 100]));
  const numbers = { delay_ms: whole(texts.delay_ms, 60_000) ?? 0, seed: whole(texts.seed, 4_294_967_295) ?? 1 };
  return { ...NO_FAULTS, ...shares, ...numbers };
}

/** The dials that are not off, in words: `Command fails 5 %`. */
export function dialWords(dials: FaultDials): string[] {
  const texts = textsOf(dials);
  const shares = SHARES.filter(({ dial }) => dials[dial] > 0).map(({ dial, label }) => `${label} ${texts[dial]} %`);
  return dials.delay_ms > 0 ? [...shares, `Delay up to ${count(dials.delay_ms)} ms`] : shares;
}

function percent(typed: string): number | null {
  const text = typed.trim().replace(',', '.');
  if (text === '') return 0;
  const value = Number(text);
  return /^\d+(\.\d+)?$/.test(text) && value <= 100 ? value : null;
}

function whole(typed: string, most: number): number | null {
  const text = typed.trim();
  if (text === '') return 0;
  return /^\d+$/.test(text) && Number(text) <= most ? Number(text) : null;
}
