/** The search of the invented fleet: the engine's search language without parentheses. */

import type { DeviceRow } from '../bindings/DeviceRow';
import type { FleetCounts } from '../bindings/FleetCounts';
import type { SearchCompletion } from '../bindings/SearchCompletion';
import type { SearchPart } from '../bindings/SearchPart';
import type { SearchReading } from '../bindings/SearchReading';
import { COMMAND_STATES } from '../bindings/Constants';
import { failure } from './failure';
import { tagsOf, type FakeDevice } from './fleet';
import { SERIES } from './telemetry';

const WORD = /-?(?:(?:[\w.]+:)[<>=]*"[^"]*"|"[^"]*"|[^\s]+)/g;
const MEASURED = SERIES.map(({ name }) => name);
const CONFIGURED = ['report_interval_s', 'temp_high_c', 'buzzer', 'ntp_host'];
const FIELDS = ['tag', 'name', 'is', 'state', 'firmware', 'led', 'seen', 'restarted', 'desired'];
const VALUES: Record<string, readonly string[]> = {
  is: ['online', 'offline', 'unknown', 'disagrees'],
  led: ['on', 'off', 'unknown'],
  desired: ['as_wanted', 'differs', 'unknown', '*'],
  state: [...COMMAND_STATES, '*'],
};

interface Word {
  from: number;
  to: number;
  negated: boolean;
  field: string | null;
  value: string;
}

function wordsOf(text: string): Word[] {
  return [...text.matchAll(WORD)].map((match) => {
    const [all] = match;
    const negated = /^-[\w.]{2,}:/.test(all);
    const [, field, value] = /^-?([a-z]{2,}(?:\.[\w]+)?):(.*)$/i.exec(all) ?? [];
    const plain = (field === undefined ? all : (value ?? '')).replaceAll('"', '');
    const place = { from: match.index, to: match.index + all.length };
    return { ...place, negated, field: field?.toLowerCase() ?? null, value: plain };
  });
}

function wrong({ field, value }: Word): { message: string; hint: string } | null {
  if (field === null || field.includes('.')) return null;
  if (!FIELDS.includes(field))
    return {
      message: `There is no field '${field}'.`,
      hint: `There are ${FIELDS.map((one) => `${one}:`).join(', ')}.`,
    };
  const known = VALUES[field];
  if (known === undefined && value !== '') return null;
  if (known?.includes(value.replaceAll('-', '_'))) return null;
  const hint = known
    ? `Possible values: ${known.map((one) => `${field}:${one}`).join(', ')}.`
    : 'Write a value after it.';
  return { message: value === '' ? `${field}: has no value.` : `\`${field}:\` has no value \`${value}\`.`, hint };
}

/** Whether a device fits, by a search that was read. */
export function searched(text: string): (device: FakeDevice) => boolean {
  const words = wordsOf(text);
  const bad = words.map((word) => ({ word, why: wrong(word) })).find(({ why }) => why !== null);
  if (bad?.why) throw failure('invalid', `This search is not valid: ${bad.why.message}`, bad.why.hint);
  const alternatives: Word[][] = [[]];
  for (const word of words) {
    if (word.field === null && word.value.toLowerCase() === 'or') alternatives.push([]);
    else alternatives.at(-1)?.push(word);
  }
  return (device) => alternatives.some((all) => all.every((word) => fits(device, word) !== word.negated));
}

function fits({ row, running, desired }: FakeDevice, { field, value }: Word): boolean {
  switch (field) {
    case null:
      return row.device.includes(value.toLowerCase()) || named(row, value);
    case 'name':
      return value === '*' ? row.name !== null : named(row, value);
    case 'is':
      return value === 'disagrees' ? row.disagrees !== null : row.presence === value;
    case 'led':
      return row.led === (value === 'unknown' ? null : value === 'on');
    case 'tag':
      return value === '*' ? tagsOf(row).length > 0 : tagsOf(row).includes(value);
    case 'state':
      return value === '*' ? row.last_command !== null : row.last_command?.state === value.replaceAll('-', '_');
    case 'firmware':
      return row.firmware !== null && (value === '*' || compares(row.firmware, value, true));
    case 'desired': {
      const state = desired?.()?.state;
      return state !== undefined && (value === '*' || state === value.replaceAll('-', '_'));
    }
    case 'seen':
      return row.seen_at !== null;
    case 'restarted':
      return value === '*' && row.boot !== null;
    default:
      return compares(String(running?.[field.replace('config.', '')] ?? ''), value, false);
  }
}

function named({ name }: DeviceRow, text: string): boolean {
  return name?.toLowerCase().includes(text.toLowerCase()) ?? false;
}

function compares(have: string, want: string, begins: boolean): boolean {
  const wanted = want.replace(/^[<>=]+/, '');
  const difference = have.localeCompare(wanted, 'en', { numeric: true });
  if (want.startsWith('<')) return difference < 0;
  if (want.startsWith('>=')) return difference >= 0;
  if (want.startsWith('>')) return difference > 0;
  return begins && !want.startsWith('=') ? have.startsWith(wanted) : difference === 0;
}

export function reading(text: string, caret: number, counts: FleetCounts): SearchReading {
  const words = wordsOf(text);
  const parts = words.map(({ from, to, field, value }): SearchPart => {
    const kind = field !== null ? 'field' : value.toLowerCase() === 'or' ? 'operator' : 'word';
    return { kind, from, to };
  });
  const bad = words.find((word) => wrong(word) !== null);
  const why = bad && wrong(bad);
  return {
    parts,
    error: bad && why ? { from: bad.from, to: bad.to, ...why } : null,
    completions: completions(text, caret, counts),
  };
}

function completions(text: string, caret: number, counts: FleetCounts): SearchCompletion[] {
  const start = text.slice(0, caret).search(/\S*$/);
  const from = text[start] === '-' ? start + 1 : start;
  const typed = text.slice(from, caret).toLowerCase();
  const to = caret + (text.slice(caret).match(/^\S*/)?.[0].length ?? 0);
  const [field, value] = typed.split(':', 2);
  if (field === 'config.') {
    return CONFIGURED.map((key) => ({ from, to, text: `config.${key}:`, note: 'Running configuration', open: true }));
  }
  if (field === 'telemetry.') {
    return MEASURED.map((name) => ({ from, to, text: `telemetry.${name}:`, note: 'Last measured', open: true }));
  }
  const offered: [string, string][] =
    value === undefined
      ? FIELDS.map((name) => [`${name}:`, ''])
      : field === 'tag' || field === 'firmware'
        ? (field === 'tag' ? counts.tags : counts.firmware).map((one) => [one.search, `${one.count} devices`])
        : (VALUES[field ?? ''] ?? []).map((one) => [`${field}:${one}`, '']);
  return offered
    .filter(([one]) => one.startsWith(typed) && one !== typed)
    .slice(0, 12)
    .map(([one, note]) => ({ from, to, text: one, note, open: one.endsWith(':') }));
}

/** The rows of a fleet counted, as the engine does it while things change. */
export function countsOfFleet(rows: DeviceRow[]): FleetCounts {
  const number = (fits: (row: DeviceRow) => boolean) => rows.filter(fits).length;
  const most = (field: string, values: string[], atMost: number) => {
    const counts = new Map<string, number>();
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    const all = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, atMost);
    return all.map(([value, count]) => ({ value, search: `${field}:${value}`, count }));
  };
  const states = Object.fromEntries(
    COMMAND_STATES.map((state) => [state, number((row) => row.last_command?.state === state)]),
  );
  return {
    online: number((row) => row.presence === 'online'),
    offline: number((row) => row.presence === 'offline'),
    unknown: number((row) => row.presence === 'unknown'),
    states: { ...states, pending: number((row) => row.last_command === null) } as FleetCounts['states'],
    firmware: most(
      'firmware',
      rows.flatMap((row) => row.firmware ?? []),
      20,
    ),
    tags: most('tag', rows.flatMap(tagsOf), 50),
  };
}
