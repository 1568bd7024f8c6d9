import { describe, expect, it } from 'vitest';

import { blankForm, complaints, connectionOf } from './form';

const form = (given: Partial<ReturnType<typeof blankForm>>) => ({
  ...blankForm(),
  name: 'Bench',
  url: 'mqtts://bench.local:8883',
  ...given,
});

describe('the form of a new connection', () => {
  it.each(['mqtts://bench.local:8883', 'mqtt://127.0.0.1', 'mqtts://[::1]:8883/', ' mqtts://a.b '])(
    'takes %s',
    (url) => {
      expect(complaints(form({ url }))).toEqual({});
    },
  );
  it.each(['', 'bench.local', 'http://bench', 'mqtts://', 'mqtts://a b', 'mqtts://user:pw@host', 'mqtts://host:port'])(
    'refuses %j in words',
    (url) => expect(complaints(form({ url })).url).toMatch(/\.$|8883/),
  );
  it('wants certificate and key together, and TLS with them', () => {
    expect(complaints(form({ certificate: '/c.pem' }))).toHaveProperty('key');
    expect(complaints(form({ key: '/k.pem' }))).toHaveProperty('certificate');
    expect(complaints(form({ url: 'mqtt://a', ca: '/ca.pem' }))).toHaveProperty('url');
  });
  it('refuses wildcards in a prefix', () => expect(complaints(form({ prefix: 'cmd/+' }))).toHaveProperty('prefix'));
  it('hands over nothing for what was left empty', () => {
    expect(connectionOf(form({ ca: ' /ca.pem ' }))).toMatchObject({
      client_id: null,
      username: null,
      password: null,
      files: { ca: '/ca.pem', certificate: null, key: null },
    });
  });
});
