import { expect, test } from 'vitest';

import type { ReportedKey } from '../backend/bindings/ReportedKey';
import { differencesOf, readWanted, typedOf } from './desired';
import { toJson } from './json';

const key = (value: string): ReportedKey => ({ key: 'k', devices: 1, values: [{ value, devices: 1 }] });

test('a wanted value is read as what devices report of its key', () => {
  const check = (typed: string, reported: ReportedKey | undefined, expected: string | null) => {
    const found = readWanted(typed, reported);
    expect(found.ok ? toJson(found.value) : null, typed).toBe(expected);
  };
  check('4.50', key('8.0'), '4.50');
  check('9007199254740993', key('1'), '9007199254740993');
  check('warm', key('8.0'), null);
  check('true', key('false'), 'true');
  check('30', key('"pool"'), '"30"');
  check('30', undefined, '30');
  check('pool.ntp.org', undefined, '"pool.ntp.org"');
});

test('a wanted value is typed so that it is read again as it was', () => {
  for (const reported of [undefined, key('"pool"')])
    for (const value of ['pool', '30', 'true', '"x"', '']) {
      const again = readWanted(typedOf(value, reported), reported);
      expect(again.ok && again.value, value).toBe(value);
    }
});

test('differences are shown with their desired configuration', () => {
  const differences = [
    { key: 'interval', wanted: '60', running: '30', saved: null, by: 'north' },
    { key: 'host', wanted: '"a"', running: null, saved: '"b"', by: 'Cold stores' },
  ];
  expect(differencesOf({ state: 'differs', differences })).toBe(
    'interval: 30, wanted 60 (north)\nhost: not reported, b after restart, wanted a (Cold stores)',
  );
  expect(differencesOf({ state: 'unknown', differences })).toBe('The device has not reported its configuration.');
  expect(differencesOf({ state: 'as_wanted', differences: [] })).toBe('');
});
