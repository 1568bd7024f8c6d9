import { describe, expect, it } from 'vitest';

import { fromJson, indented, nearest, readJson, readNumber, toJson } from './json';

describe('JSON with places', () => {
  it.each(['{}', '[]', '"a"', '-1.5', 'true', 'null', ' {"a": [1, {"b": "\\u00e9\\n"}], "": 0} '])(
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
    ['', 1, 1, 'Expected a value.'],
    ['{"a": }', 1, 7, 'Put text in double quotes: "on".'],
    ['{\n  a: 1}', 2, 3, 'Expected a name in double quotes: {"on": true}.'],
    ['{"a" 1}', 1, 6, 'Expected a colon.'],
    ['{"a": 1\n "b": 2}', 2, 2, 'Expected a comma or }.'],
    ['[1 2]', 1, 4, 'Expected a comma or ].'],
    ['{"a": "b\n"}', 1, 7, 'This text has no closing quote or contains a line break.'],
    ['{} {}', 1, 4, 'Unexpected text after the end.'],
    ['{"a": 1,}', 1, 9, 'Expected a name in double quotes: {"on": true}.'],
    ['{"a": on}', 1, 7, 'Put text in double quotes: "on".'],
  ])('says of %j where it breaks off', (text, line, column, why) => {
    expect(readJson(text)).toEqual({ ok: false, line, column, why });
  });

  it.each(['9007199254740993', '-9007199254740993', '1e400', '1e10', '1.50', '-0', '0.30000000000000000001', '1E+05'])(
    'keeps every digit of %s',
    (text) => {
      const typed = readJson(`{"a":[${text}]}`);
      expect(typed.ok && toJson(typed.value)).toBe(`{"a":[${text}]}`);
      expect(toJson(fromJson(`{"a":[${text}]}`))).toBe(`{"a":[${text}]}`);
      expect(toJson(readNumber(text))).toBe(text);
      expect(Number.isFinite(nearest(readNumber(text)))).toBe(true);
    },
  );

  it('keeps every digit of any number', () => {
    let seed = 7;
    const next = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const digits = (most: number) => Array.from({ length: 1 + next(most) }, () => next(10)).join('');
    for (let round = 0; round < 2_000; round++) {
      const whole = next(4) === 0 ? '0' : `${1 + next(9)}${digits(30)}`;
      const fraction = next(2) === 0 ? '' : `.${digits(30)}`;
      const exponent = next(2) === 0 ? '' : `${['e', 'E', 'e+', 'E-'][next(4)]}${digits(4)}`;
      const text = `${next(2) === 0 ? '-' : ''}${whole}${fraction}${exponent}`;
      const typed = readJson(text);
      expect(typed.ok && toJson(typed.value)).toBe(text);
      expect(toJson(fromJson(text))).toBe(text);
    }
  });

  it('is indented without a change to its parts', () => {
    const value = { a: [1, { b: 'x: {[,"' }], c: {}, d: [], e: -1.5 };
    expect(indented(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
    const written = '{"2":1.0,"1":[10000000000000000000001,1e10],"t":"\\u00e4 "}';
    expect(indented(written)).toBe(
      '{\n  "2": 1.0,\n  "1": [\n    10000000000000000000001,\n    1e10\n  ],\n  "t": "\\u00e4 "\n}',
    );
    expect(indented('{"a": }')).toBe('{"a": }');
  });

  it('refuses a name that occurs twice, with its position', () => {
    const why = '“at” occurs twice. Remove one.';
    expect(readJson('{"steps": [{"at": 1,\n "at": 1}]}')).toEqual({ ok: false, line: 2, column: 2, why });
  });

  it('reads what a device has written twice as its last', () => expect(fromJson('{"a":1,"a":2}')).toEqual({ a: 2 }));

  it('is not led astray by names or depth', () => {
    const read = readJson('{"__proto__": {"polluted": true}}');
    expect(read.ok && Object.keys(read.value as object)).toEqual(['__proto__']);
    expect('polluted' in {}).toBe(false);
    expect(readJson('['.repeat(500))).toMatchObject({ ok: false, why: 'Nested more than 100 levels deep.' });
  });

  it('takes a time proportional to the length', () => {
    const read = readJson(`[${'1,\n'.repeat(100_000)}2]`);
    expect(read.ok && read.lines.get('100000')).toBe(100_001);
  });
});
