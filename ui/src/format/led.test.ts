import { expect, it } from 'vitest';

import type { CommandView } from '../backend/bindings/CommandView';
import type { DeviceDetail } from '../backend/bindings/DeviceDetail';
import { ledText } from './led';

const END = 5_000;
const asks = (more: Partial<CommandView> = {}) =>
  ({
    args: '{"on":true}',
    by: 'you',
    operator: null,
    state: 'succeeded',
    final: true,
    finished_at: END,
    ...more,
  }) as CommandView;
const reports = (led: boolean | null, reported_at: number | null = null, restarted_at: number | null = null) =>
  ({ row: { led }, reported_at, restarted_at }) as DeviceDetail;

it.each<[string, DeviceDetail, CommandView | null, boolean, string]>([
  ['no command', reports(true), null, false, 'As last reported by the device.'],
  ['nothing at all', reports(null), null, false, 'It has not reported its LED yet.'],
  ['on its way', reports(false), asks({ final: false, state: 'sent' }), false, 'You requested on. Not on yet.'],
  ['the same', reports(true, END + 1), asks(), false, 'You requested on, and it is on.'],
  ['an earlier report', reports(false, END - 1), asks(), false, 'It confirmed on. No report since.'],
  ['the broker’s copy', reports(false), asks(), false, 'It confirmed on. No report since.'],
  ['a later report', reports(false, END + 1), asks(), false, 'It confirmed on, then reported off.'],
  ['a restart', reports(false), asks(), true, 'It has restarted. No report since.'],
  ['a restart, and the broker’s copy', reports(true), asks(), true, 'It has restarted. No report since.'],
  ['a restart, and an earlier report', reports(true, END - 1), asks(), true, 'It has restarted. No report since.'],
  ['a restart after a report', reports(true, END + 1, END + 2), asks(), false, 'It has restarted. No report since.'],
  ['a restart before a report', reports(false, END + 3, END + 2), asks(), false, 'It has restarted and reports off.'],
  [
    'a restart after which it is the same',
    reports(true, END + 3, END + 2),
    asks(),
    true,
    'You requested on, and it is on.',
  ],
  ['a restart at an unknown time', reports(false, END + 3), asks(), true, 'It has restarted and reports off.'],
  ['a restart before the command', reports(true, END - 1, END - 2), asks(), false, 'You requested on, and it is on.'],
  [
    'a restart after a failure',
    reports(true, END - 1, END + 2),
    asks({ state: 'failed' }),
    false,
    'You requested on. Failed.',
  ],
  ['a failure', reports(false, END + 1), asks({ state: 'failed' }), false, 'You requested on. Failed.'],
  [
    'another console',
    reports(false),
    asks({ by: 'another console', final: false }),
    false,
    'Another console requested on. Not on yet.',
  ],
  [
    'another operator',
    reports(false),
    asks({ by: 'another console', operator: 'Ana\u001b', final: false }),
    false,
    'Another console (Ana\\u001b) requested on. Not on yet.',
  ],
])('follows the newest fact: %s', (_, detail, command, restarted, words) => {
  expect(ledText(detail, command, restarted)).toBe(words);
});
