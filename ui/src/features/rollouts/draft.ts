/** The form of a rollout: the input, its errors, and the resulting request. */

import type { Delivery } from '../../backend/bindings/Delivery';
import type { LeaveOut } from '../../backend/bindings/LeaveOut';
import type { NewRollout } from '../../backend/bindings/NewRollout';
import type { StageSize } from '../../backend/bindings/StageSize';

/** All as it was typed. Empty means: as the connection or the command has it. */
export interface Draft {
  /** One message for each device, one publish for all, or one for a group. */
  reach: 'each' | 'all' | 'group';
  group: string;
  stages: 'all' | 'canary' | 'own';
  own: string;
  between: 'continue' | 'pause' | 'ask';
  /** Minutes. */
  pause: string;
  /** Releases a second. */
  rate: string;
  inFlight: string;
  halts: boolean;
  haltAbove: string;
  haltUnit: 'percent' | 'members';
  haltAfter: string;
  countTimeouts: boolean;
  gated: boolean;
  series: string;
  min: string;
  max: string;
  /** Minutes. */
  gateFor: string;
  inHours: boolean;
  from: string;
  until: string;
  zone: string;
  delivery: Delivery | '';
  /** Seconds. */
  ttl: string;
  /** Seconds. */
  timeout: string;
  retries: string;
  name: string;
  note: string;
  leaveOut: LeaveOut;
  /** Devices that have not reported their configuration are included. */
  unknown: boolean;
}

export type Field = keyof Draft;

const CANARY: StageSize[] = [
  { unit: 'devices', count: 10 },
  { unit: 'percent', percent: 10 },
  { unit: 'percent', percent: 100 },
];

export function blankDraft(): Draft {
  return {
    reach: 'each',
    group: '',
    stages: 'all',
    own: '10, 10 %, 100 %',
    between: 'continue',
    pause: '10',
    rate: '',
    inFlight: '',
    halts: false,
    haltAbove: '5',
    haltUnit: 'percent',
    haltAfter: '20',
    countTimeouts: true,
    gated: false,
    series: '',
    min: '',
    max: '',
    gateFor: '10',
    inHours: false,
    from: '22:00',
    until: '06:00',
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    delivery: '',
    ttl: '',
    timeout: '',
    retries: '',
    name: '',
    note: '',
    leaveOut: { offline: false, already: false, busy: false },
    unknown: false,
  };
}

/** `10, 10 %, 100 %` as sizes; a sentence where it cannot be read. */
export function readStages(typed: string): StageSize[] | string {
  const parts = typed.split(',').map((part) => part.trim());
  if (parts.every((part) => part === '')) return 'Enter sizes separated by commas: 10, 10 %, 100 %.';
  const sizes: StageSize[] = [];
  let percentBefore = 0;
  for (const part of parts) {
    const [, digits, sign] = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(part) ?? [];
    if (digits === undefined) return `“${part}” is not a number of devices or a percentage.`;
    const size = Number(digits);
    if (sign === '%') {
      if (size <= percentBefore || size > 100)
        return 'Percentages are cumulative: each must be greater than the one before, and at most 100 %.';
      percentBefore = size;
      sizes.push({ unit: 'percent', percent: size });
    } else {
      if (!Number.isInteger(size) || size < 1) return `“${part}” is not a number of devices.`;
      sizes.push({ unit: 'devices', count: size });
    }
  }
  return sizes;
}

/** The errors of the typed values, by field. */
export function errorsOf(draft: Draft): Partial<Record<Field, string>> {
  const wrong: Partial<Record<Field, string>> = {};
  const check = (field: Field, why: string | null) => {
    if (why !== null) wrong[field] = why;
  };
  check('ttl', draft.ttl === '' ? null : positive(draft.ttl, 'seconds'));
  check('timeout', draft.timeout === '' ? null : positive(draft.timeout, 'seconds'));
  if (draft.inHours) {
    check('from', minuteOf(draft.from) === null ? 'Enter a time such as 22:00.' : null);
    check('until', minuteOf(draft.until) === null ? 'Enter a time such as 06:00.' : null);
    check('zone', isZone(draft.zone) ? null : 'Enter a time zone such as Europe/Amsterdam.');
  }
  if (draft.reach === 'group')
    check('group', isGroup(draft.group) ? null : 'Enter the name of the group: one topic level, without / + #.');
  // The following fields apply to single messages.
  if (draft.reach !== 'each') return wrong;
  if (draft.stages === 'own') {
    const read = readStages(draft.own);
    check('own', typeof read === 'string' ? read : null);
  }
  if (draft.stages !== 'all' && draft.between === 'pause') check('pause', positive(draft.pause, 'minutes'));
  check('rate', draft.rate === '' ? null : whole(draft.rate, 1, 100_000));
  check('inFlight', draft.inFlight === '' ? null : whole(draft.inFlight, 1, 1_000_000));
  if (draft.halts) {
    const limit =
      draft.haltUnit === 'percent' ? within(draft.haltAbove, 0, 100) : whole(draft.haltAbove, 0, 10_000_000);
    check('haltAbove', limit);
    check('haltAfter', whole(draft.haltAfter, 1, 10_000_000));
  }
  if (draft.gated) gateErrors(draft, check);
  check('retries', draft.retries === '' ? null : whole(draft.retries, 0, 100));
  return wrong;
}

function gateErrors(draft: Draft, check: (field: Field, why: string | null) => void): void {
  const { series } = draft;
  if (series.trim() === '') check('series', 'Enter the name of a measurement, for example temperature.');
  else check('series', series.trim() === series ? null : 'The name begins or ends with a space. Remove the space.');
  const [min, max] = [numberOf(draft.min), numberOf(draft.max)];
  check('min', draft.min.trim() !== '' && min === null ? 'Enter a number.' : null);
  check('max', draft.max.trim() !== '' && max === null ? 'Enter a number.' : null);
  if (draft.min.trim() === '' && draft.max.trim() === '') check('min', 'Enter at least one limit.');
  if (min !== null && max !== null && min > max) check('max', 'The upper limit is below the lower one.');
  check('gateFor', positive(draft.gateFor, 'minutes'));
}

/** Which parts of a draft differ from what is done where nothing is said. */
export function settingsOf(draft: Draft, connection: string): Omit<NewRollout, 'command' | 'target' | 'follows'> {
  const own = readStages(draft.own);
  const each = draft.reach === 'each';
  const stages = !each
    ? []
    : draft.stages === 'all'
      ? []
      : draft.stages === 'canary' || typeof own === 'string'
        ? CANARY
        : own;
  const above =
    draft.haltUnit === 'percent'
      ? { unit: 'percent' as const, percent: Number(draft.haltAbove) }
      : { unit: 'members' as const, count: Number(draft.haltAbove) };
  return {
    connection,
    confirmed: 'no',
    name: draft.name.trim() === '' ? null : draft.name,
    note: draft.note.trim() === '' ? null : draft.note,
    stages,
    between:
      stages.length === 0 || draft.between === 'continue'
        ? { then: 'continue' }
        : draft.between === 'ask'
          ? { then: 'ask' }
          : { then: 'pause', pause_ms: Math.round(Number(draft.pause) * 60_000) },
    rate: !each || draft.rate === '' ? null : Number(draft.rate),
    in_flight: !each || draft.inFlight === '' ? null : Number(draft.inFlight),
    halt: each && draft.halts ? { above, after: Number(draft.haltAfter), count_timeouts: draft.countTimeouts } : null,
    gate:
      each && draft.gated
        ? {
            series: draft.series,
            min: numberOf(draft.min),
            max: numberOf(draft.max),
            for_ms: Math.round(Number(draft.gateFor) * 60_000),
          }
        : null,
    hours: draft.inHours
      ? {
          from_minute: minuteOf(draft.from) ?? 0,
          until_minute: minuteOf(draft.until) ?? 0,
          time_zone: draft.zone.trim(),
        }
      : null,
    leave_out: each ? { ...draft.leaveOut } : { offline: false, already: false, busy: false },
  };
}

/** Times and retries as the command's own part of a rollout has them. */
export function deliveryOf(draft: Draft) {
  const each = draft.reach === 'each';
  const ms = (seconds: string) => (seconds === '' ? null : Math.round(Number(seconds) * 1_000));
  return {
    timeout_ms: ms(draft.timeout),
    ttl_ms: ms(draft.ttl),
    retries: !each || draft.retries === '' ? null : Number(draft.retries),
    delivery: !each || draft.delivery === '' ? null : draft.delivery,
  };
}

/** The minute of the day: `22:00` is 1,320. */
export function minuteOf(typed: string): number | null {
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(typed.trim()) ?? [];
  if (hours === undefined || Number(minutes) > 59 || Number(hours) > 23) return null;
  return Number(hours) * 60 + Number(minutes);
}

function isGroup(typed: string): boolean {
  return typed.trim() !== '' && !/[+#/{}]/.test(typed);
}

function isZone(typed: string): boolean {
  if (typed.trim() === '') return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: typed.trim() });
    return true;
  } catch {
    return false;
  }
}

function numberOf(typed: string): number | null {
  if (typed.trim() === '') return null;
  const number = Number(typed);
  return Number.isFinite(number) ? number : null;
}

function whole(typed: string, least: number, most: number): string | null {
  const number = Number(typed);
  const fits = /^\d+$/.test(typed.trim()) && number >= least && number <= most;
  return fits ? null : `Enter a whole number from ${least.toLocaleString('en')} to ${most.toLocaleString('en')}.`;
}

function within(typed: string, least: number, most: number): string | null {
  const number = numberOf(typed);
  return number !== null && number >= least && number <= most ? null : `Enter a number from ${least} to ${most}.`;
}

function positive(typed: string, unit: string): string | null {
  const number = numberOf(typed);
  return number !== null && number > 0 ? null : `Enter how many ${unit}.`;
}
