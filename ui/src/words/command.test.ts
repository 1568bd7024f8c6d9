import { expect, it } from 'vitest';

import { nameComplaint } from './command';

it.each([
  ['identify', null],
  ['', /which command/],
  ['open the valve', /Free text/],
])('judges the name %j', (name, words) => {
  if (words === null) expect(nameComplaint(name)).toBeNull();
  else expect(nameComplaint(name)).toMatch(words);
});
