/** Settings that last as long as the page, with the engine's validation. */

import type { Settings } from '../bindings/Settings';
import { LONGEST_SPAN_MS } from '../bindings/Constants';
import { count } from '../../format/count';
import { failure } from './failure';
import recorded from './recorded.json';

const DAYS = 'From 1 to 3,650 days';

export class FakeSettings {
  kept: Settings = recorded.settings;

  change(settings: Settings): void {
    const { history_days: history, telemetry_days: telemetry } = settings;
    if (history !== null)
      days(history, 'A history', 'each command would be deleted as soon as it finished', `${DAYS}, or for ever.`);
    if (settings.audit_days !== null)
      days(
        settings.audit_days,
        'An audit',
        'each entry would be deleted as soon as it was written',
        `${DAYS}, or no limit.`,
      );
    days(telemetry, 'Telemetry', 'telemetry would be deleted on arrival', `${DAYS}.`);
    quota(settings.evidence_bytes, 1_000_000, 'A quota', '1 MB');
    quota(settings.device_evidence_bytes, 100_000, 'A quota for each device', '100 kB');
    seconds(settings.timeout_s, LONGEST_SPAN_MS / 1_000, 'timeout', 'Enter a value from 1 second to 7 days.');
    seconds(settings.time_to_live_s, LONGEST_SPAN_MS / 1_000, 'time to live', 'Enter a value from 1 second to 7 days.');
    seconds(settings.long_after_s, 86_400, 'long-running limit', 'Enter a value from 1 second to 1 day.');
    if (settings.operator_name !== null && settings.operator_name.length > 64)
      throw failure('invalid', `The operator name has ${settings.operator_name.length} characters.`, 'At most 64.');
    if (settings.operator_name !== null && settings.operator_name.trim() !== settings.operator_name)
      throw failure(
        'invalid',
        'The operator name begins or ends with a space, or contains control characters.',
        'Enter a name of 1 to 64 characters, such as Ana or Shift 2.',
      );
    this.kept = settings;
  }
}

/** Commands that ended at least this many days ago. */
export function daysAgo(ago: number, now: number): number {
  days(ago, 'A history', 'all finished commands would be deleted', `${DAYS}.`);
  return now - ago * 86_400_000;
}

function days(kept: number, what: string, atNone: string, hint: string): void {
  if (kept === 0) throw failure('invalid', `${what} of 0 days would keep nothing: ${atNone}.`, hint);
  if (kept > 3_650) throw failure('invalid', `${what} of ${count(kept)} days is not allowed.`, hint);
}

function quota(size: number, least: number, what: string, name: string): void {
  if (size < least || size > 1e12)
    throw failure('invalid', `${what} of ${count(size)} bytes is not allowed.`, `Enter a value from ${name} to 1 TB.`);
}

function seconds(span: number, most: number, what: string, hint: string): void {
  if (span < 1 || span > most) throw failure('invalid', `A ${what} of ${count(span)} s is not allowed.`, hint);
}
