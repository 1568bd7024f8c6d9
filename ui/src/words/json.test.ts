import { describe, expect, it } from 'vitest';

import { inexact, readJson, TOO_LARGE } from './json';

describe('JSON with places', () => {
  it.each(['{}', '[]', '"a"', '-1.5e3', 'true', 'null', ' {"a": [1, {"b": "\\u00e9\\n"}], "": 0} ', '{"a":1,"a":2}'])(
    'reads %s as the browser does',
    (text) => {
      expect(readJson(text)).toMatchObject({ ok: true, value: JSON.parse(text) as unknown });
    },
  );

  it('knows the line of each value', () => {
    const read = readJson('{\n  "a": 1,\n  "steps": [\n    {"at": 2},\n    3\n  ]\n}');
    const lines = read.ok ? Object.fromEntries(read.lines) : {};
    expect(lines).toEqual({ '': 1, a: 2, steps: 3, 'steps.0': 4, 'steps.0.at': 4, 'steps.1': 5 });
  });

  it.each([
    ['', 1, 1, 'A value is missing.'],
    ['{"a": }', 1, 7, 'Text stands in double quotes: "on".'],
    ['{\n  a: 1}', 2, 3, 'Here a name in double quotes is missing: {"on": true}.'],
    ['{"a" 1}', 1, 6, 'Here a : is missing.'],
    ['{"a": 1\n "b": 2}', 2, 2, 'Here a , or a } is missing.'],
    ['[1 2]', 1, 4, 'Here a , or a ] is missing.'],
    ['{"a": "b\n"}', 1, 7, 'This text has no closing quote, or a line break in it.'],
    ['{} {}', 1, 4, 'Something stands after the end.'],
    ['{"a": 1,}', 1, 9, 'Here a name in double quotes is missing: {"on": true}.'],
    ['{"a": on}', 1, 7, 'Text stands in double quotes: "on".'],
  ])('says of %j where it breaks off', (text, line, column, why) => {
    expect(readJson(text)).toEqual({ ok: false, line, column, why });
  });

  it.each(['9007199254740993', '-9007199254740993', '1e400', '[1, 12345678901234567890]'])(
    'refuses %s, which would become another number',
    (text) => {
      expect(readJson(text)).toMatchObject({ ok: false, why: TOO_LARGE });
    },
  );

  it.each(['9007199254740992', '1e20', '0.1', '-0', '"9007199254740993"'])('keeps %s', (text) => {
    expect(readJson(text)).toMatchObject({ ok: true, value: JSON.parse(text) as unknown });
  });

  it('finds whole numbers that may have lost digits', () => {
    expect(inexact({ a: [1, 2 ** 60], b: { c: -(2 ** 53) }, d: 0.5, e: null })).toEqual([
      ['a', 1],
      ['b', 'c'],
    ]);
  });

  it('is not led astray by names or depth', () => {
    const read = readJson('{"__proto__": {"polluted": true}}');
    expect(read.ok && Object.keys(read.value as object)).toEqual(['__proto__']);
    expect('polluted' in {}).toBe(false);
    expect(readJson('['.repeat(500))).toMatchObject({ ok: false, why: 'It is deeper than 100 levels.' });
  });
});
