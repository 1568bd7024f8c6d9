import { expect, it } from 'vitest';

import { requestedBy, changes, nameError, summary, targetText } from './command';

it.each([
  ['identify', null],
  ['', /Enter a command/],
  ['open the valve', /Free text/],
])('judges the name %j', (name, words) => {
  if (words === null) expect(nameError(name)).toBeNull();
  else expect(nameError(name)).toMatch(words);
});

it('describes the requested change of the configuration', () => {
  const one = { command: 'config.set', args: JSON.stringify({ changes: { temp_high_c: 44 }, apply: 'now' }) };
  const two = {
    command: 'config.set',
    args: JSON.stringify({ changes: { temp_high_c: 44, host: 'a' }, apply: 'restart' }),
  };
  expect([summary(one), changes(one)]).toEqual(['config.set temp_high_c 44', 'temp_high_c 44']);
  expect([summary(two), changes(two)]).toEqual([
    'config.set 2 changes, on next restart',
    'temp_high_c 44, host a, on next restart',
  ]);
  expect(summary({ command: 'led', args: JSON.stringify({ on: true }) })).toBe('led on');
});

it('names one recipient so that it looks like no other', () => {
  expect(targetText(['pump'])).toBe('pump');
  expect(targetText(['pump '])).toBe('pump␣');
  expect(targetText(['pump', 'pump '])).toBe('2 devices');
});

it('shows the sender, and does not let one console pose as another', () => {
  expect(requestedBy({ by: 'you', operator: null })).toBe('you');
  expect(requestedBy({ by: 'another console', operator: 'you\u001b' })).toBe('another console, by you\\u001b');
});
