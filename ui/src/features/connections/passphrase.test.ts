import { expect, it } from 'vitest';

import { judge } from './passphrase';

it.each([
  ['', false, /12 to go/],
  ['elevenchars', false, /1 to go/],
  ['aaaaaaaaaaaaaaaa', true, /Weak/],
  ['twelve chars', true, /Fair/],
  ['correct horse bat', true, /Good/],
  ['correct horse battery staple', true, /Strong/],
  ['pässwörter😀', false, /1 to go/],
])('judges %j', (passphrase, enough, words) => {
  expect(judge(passphrase).enough).toBe(enough);
  expect(judge(passphrase).words).toMatch(words);
});
