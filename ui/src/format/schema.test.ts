import { describe, expect, it } from 'vitest';

import { fromJson, objectFrom, toJson } from './json';
import { complaints, defaults, filled } from './schema';

const SCHEMA = {
  type: 'object',
  properties: {
    level: { type: 'number', maximum: 10 },
    mode: { enum: ['fast', 'slow'] },
    name: { type: 'string', minLength: 1, pattern: '^[a-z]+$' },
    steps: { type: 'array', items: { $ref: '#/$defs/step' }, maxItems: 2 },
    either: { anyOf: [{ type: 'string' }, { type: 'integer' }] },
  },
  required: ['level'],
  additionalProperties: false,
  $defs: { step: { type: 'object', properties: { at: { type: 'integer', minimum: 0 } }, required: ['at'] } },
};

describe('values that do not match a schema', () => {
  it.each([
    [{ level: 3, mode: 'slow', steps: [{ at: 1 }], either: 3 }, []],
    [{}, ['level: Required.']],
    [{ level: 'high' }, ['level: Must be a number.']],
    [{ level: '12' }, ['level: Must be a number.']],
    [{ level: 11 }, ['level: At most 10.']],
    [{ level: 1, mode: 'odd' }, ['mode: Must be one of "fast", "slow".']],
    [{ level: 1, x: 1 }, ['x: Unknown name.']],
    [{ level: 1, name: 'A' }, ['name: Must match ^[a-z]+$.']],
    [{ level: 1, steps: [{ at: 1 }, {}] }, ['steps.1.at: Required.']],
    [{ level: 1, steps: [{ at: -1 }] }, ['steps.0.at: At least 0.']],
    [{ level: 1, steps: [{ at: 1 }, { at: 2 }, { at: 3 }] }, ['steps: At most 2 items.']],
    [{ level: 1, either: true }, ['either: Must match exactly one of the allowed forms.']],
  ])('reports the errors of %j by field', (value, expected) => {
    expect(complaints(SCHEMA, value).map(({ path, why }) => `${path.join('.')}: ${why}`)).toEqual(expected);
  });

  it('changes nothing of the schema', () => {
    const before = JSON.stringify(SCHEMA);
    complaints(SCHEMA, { level: 1 });
    expect(JSON.stringify(SCHEMA)).toBe(before);
  });

  it('is nothing where the schema is none', () => {
    expect(complaints({ $ref: '#/nowhere' }, {})).toEqual([]);
  });
});

describe('numbers that no double holds', () => {
  const said = (schema: string, value: string) =>
    complaints(objectFrom(schema), fromJson(value)).map(({ path, why }) => `${path.join('.')}: ${why}`);

  it.each([
    ['{"minimum":10000000000000000000001}', '10000000000000000000001.0', []],
    ['{"minimum":10000000000000000000001}', '1e22', ['n: At least 10000000000000000000001.']],
    ['{"maximum":10}', '10.00000000000000000001', ['n: At most 10.']],
    ['{"exclusiveMinimum":9007199254740993}', '9007199254740993', ['n: More than 9007199254740993.']],
    ['{"exclusiveMinimum":9007199254740993}', '9007199254740994', []],
    ['{"exclusiveMaximum":1e-1}', '0.1', ['n: Less than 1e-1.']],
    ['{"exclusiveMaximum":1e-1}', '0.09999999999999999999', []],
    ['{"multipleOf":0.01}', '19.99000000000000000001', ['n: Must be a multiple of 0.01.']],
    ['{"multipleOf":0.01}', '19.99', []],
    ['{"const":0.1000000000000000000001}', '0.1', ['n: Must be 0.1000000000000000000001.']],
    ['{"const":{"k":[1e10]}}', '{"k":[10000000000.0]}', []],
    ['{"enum":[1e10,1.0]}', '1', []],
    ['{"enum":[1e10,1.0]}', '1.0000000000000000000001', ['n: Must be one of 1e10, 1.0.']],
    ['{"type":"integer"}', '1.0000000000000000000001', ['n: Must be a whole number.']],
    ['{"uniqueItems":true}', '[9007199254740992,9007199254740993]', []],
    ['{"items":{"maximum":10}}', '[1,10.00000000000000000001]', ['n.1: At most 10.']],
    ['{"additionalProperties":{"maximum":10}}', '{"a":10.00000000000000000001}', ['n.a: At most 10.']],
    ['{"patternProperties":{"^a":{"maximum":10}}}', '{"a":10.00000000000000000001}', ['n.a: At most 10.']],
    ['{"allOf":[{"$ref":"#/$defs/low"}]}', '10.00000000000000000001', ['n: At most 10.']],
  ])('are compared by every digit: %s, %s', (schema, value, expected) => {
    const whole = `{"properties":{"n":${schema}},"$defs":{"low":{"maximum":10}}}`;
    expect(said(whole, `{"n":${value}}`)).toEqual(expected);
  });

  it('are defaults as they are written', () => {
    const schema = objectFrom('{"properties":{"a":{"default":1.0},"b":{"default":[1e10,10000000000000000000001]}}}');
    expect(toJson(defaults(schema))).toBe('{"a":1.0,"b":[1e10,10000000000000000000001]}');
  });
});

it('takes defaults from the schema, and leaves out what a form only holds ready', () => {
  const schema = { properties: { a: { default: 3 }, b: {}, c: { default: false } }, required: ['list'] };
  expect(defaults(schema)).toEqual({ a: 3, c: false });
  expect(filled({ a: 0, b: {}, list: [], other: [], inner: { x: {} } }, schema)).toEqual({ a: 0, list: [] });
});

it('takes defaults however deep they lie, and makes up nothing else', () => {
  const filter = { properties: { gain: { default: 0.5 }, note: {} } };
  const schema = {
    properties: {
      filter,
      again: { $ref: '#/$defs/filter' },
      bare: { properties: { note: {} } },
      whole: { default: { gain: 1 }, ...filter },
      steps: { items: filter },
    },
    required: ['bare', 'steps'],
    $defs: { filter },
  };
  expect(defaults(schema)).toEqual({ filter: { gain: 0.5 }, again: { gain: 0.5 }, whole: { gain: 1 } });
});
