import { expect, it } from 'vitest';

import { nameComplaint, readArguments } from './arguments';

it.each([
  ['', {}],
  ['  \n', {}],
  ['{"on": true}', { on: true }],
])('reads the arguments %j', (typed, args) => expect(readArguments(typed)).toEqual({ ok: true, args }));

it.each([
  ['{on: true}', /not JSON/],
  ['{\n"on": tru\n}', /not JSON/],
  ['[1]', /are an object/],
  ['"text"', /are an object/],
  ['null', /are an object/],
])('refuses %j in words', (typed, words) =>
  expect(readArguments(typed)).toMatchObject({ ok: false, why: expect.stringMatching(words) }),
);

it.each([
  ['identify', null],
  ['', /which command/],
  ['open the valve', /Free text/],
])('judges the name %j', (name, words) => {
  if (words === null) expect(nameComplaint(name)).toBeNull();
  else expect(nameComplaint(name)).toMatch(words);
});
