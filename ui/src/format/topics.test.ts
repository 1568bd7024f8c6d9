import { expect, it } from 'vitest';

import { deviceError, firstOf, listed, spacedError, topicBelow, topicsOf } from './topics';

it('subscribes to every device, and commands one', () => {
  expect(topicsOf('', [], true)).toEqual({
    needed: ['+/resp'],
    welcome: ['+/status', '+/state', '+/telemetry', '+/log', '+/req', 'groups/+/req'],
    sent: ['device1/req'],
  });
  expect(topicsOf('', [], false).welcome).not.toContain('groups/+/req');
  expect(topicsOf('cmd/fleet-1/', [], false).needed).toEqual(['cmd/fleet-1/+/resp']);
});

it('subscribes to and commands only the named devices', () => {
  const topics = topicsOf('cmd', ['a', 'b'], true);
  expect(topics.needed).toEqual(['cmd/a/resp', 'cmd/b/resp']);
  expect(topics.sent).toEqual(['cmd/a/req', 'cmd/b/req']);
  expect(topics.welcome).not.toContain('cmd/groups/+/req');
});

it('writes a topic below every prefix as the engine does', () => {
  const check = (prefix: string, expected: string) => expect(topicBelow(prefix, 'pump/req')).toBe(expected);
  check('', 'pump/req');
  check('cmd', 'cmd/pump/req');
  check('cmd/', 'cmd/pump/req');
  check('/cmd/fleet-1/', '/cmd/fleet-1/pump/req');
  check('/', '/pump/req');
});

it('writes topics below a prefix in one place', () => {
  const sources = import.meta.glob<string>('../**/*.{svelte,ts}', { query: '?raw', import: 'default', eager: true });
  const elsewhere = Object.entries(sources).filter(
    ([path, source]) => !/\.test\.ts$|\/backend\//.test(path) && /prefix\}\//.test(source),
  );
  expect(elsewhere.map(([path]) => path)).toEqual([]);
});

it('reads devices from lines, exactly as they are', () => {
  expect(listed('a\nb\r\n\n  \na\npump \n pump\npump\na,b')).toEqual(['a', 'b', 'pump ', ' pump', 'pump', 'a,b']);
  expect(listed('')).toEqual([]);
});

it.each([
  ['pump', null],
  ['loading bay', null],
  ['pump ', /“pump␣” begins or ends with a space/],
  ['\tpump', /“\\tpump” begins or ends with a space/],
])('judges the space of %j', (name, complaint) => {
  if (complaint === null) expect(spacedError(name)).toBeNull();
  else expect(spacedError(name)).toMatch(complaint);
});

it.each([
  ['kitchen-0417', null],
  ['a/b', /one topic level/],
  ['$sys', /reserved for the broker/],
  ['all', /reserved for broadcasts/],
])('judges the device %s', (name, complaint) => {
  if (complaint === null) expect(deviceError(name)).toBeNull();
  else expect(deviceError(name)).toMatch(complaint);
});

it('shows a long list in part', () => {
  expect(firstOf(['a', 'b', 'c', 'd'])).toEqual({ shown: ['a', 'b', 'c', 'd'], left: 0 });
  expect(firstOf(['a', 'b', 'c', 'd', 'e'])).toEqual({ shown: ['a', 'b', 'c'], left: 2 });
});
