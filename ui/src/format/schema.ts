/** Validates arguments against their JSON Schema while they are typed. The engine decides. */

import { Validator, type OutputUnit, type Schema, type SchemaDraft } from '@cfworker/json-schema';
import { isLosslessNumber } from 'lossless-json';

import { exactly } from './exactKeywords';
import { isObject, nearest, toJson } from './json';

export interface SchemaError {
  /** Where: names of members and places in lists. */
  path: (string | number)[];
  /** The error there, as a sentence. */
  why: string;
  /** The value is missing: no error before the form is submitted. */
  missing: boolean;
}

/** A schema as it was read from its text: its numbers keep their digits. */
export type ArgumentsSchema = Record<string, unknown>;

/** Examples of formats that are not obvious (RFC 3339). */
export const WRITTEN_AS: Record<string, string> = {
  'date-time': '2026-11-20T11:43:00Z',
  time: '11:43:00Z',
  date: '2026-11-20',
};

/** Keywords that only pass on what is wrong further in. */
const OUTER = ['properties', 'items', 'prefixItems', 'allOf', '$ref', 'patternProperties', 'if', 'then', 'else'];

/** All that is wrong with a value. A schema that is none complains of nothing: the engine has refused it. */
export function complaints(schema: ArgumentsSchema, value: unknown): SchemaError[] {
  let units: OutputUnit[];
  try {
    const draft = draftOf(schema);
    units = new Validator(nearest(schema) as Schema, draft, false).validate(nearest(value)).errors;
    const find = (place: string) => at(schema, steps(place));
    units = exactly(units, schema, value, draft === '4' || draft === '7', find);
  } catch {
    return [];
  }
  const within = units.filter(({ keyword }) => ['anyOf', 'oneOf', 'not'].includes(keyword));
  const out: SchemaError[] = [];
  for (const unit of units) {
    if (OUTER.includes(unit.keyword) || isOuter(unit, schema)) continue;
    // The branches of a choice that were not meant would complain as well.
    const branch = within.some(
      (other) => other !== unit && unit.keywordLocation.startsWith(`${other.keywordLocation}/`),
    );
    if (branch) continue;
    const found = sentence(unit, schema);
    if (found.why === '' || out.some(({ path, why }) => why === found.why && path.join() === found.path.join()))
      continue;
    out.push(found);
  }
  return out;
}

/** A schema for further members passes on what is wrong in one; `false` is said of their names. */
function isOuter({ keyword, keywordLocation }: OutputUnit, schema: ArgumentsSchema): boolean {
  const further = keyword === 'additionalProperties' || keyword === 'unevaluatedProperties';
  return further && isObject(at(schema, steps(keywordLocation)));
}

function draftOf(schema: ArgumentsSchema): SchemaDraft {
  const named = String(schema['$schema'] ?? '');
  if (named.includes('draft-04')) return '4';
  if (named.includes('draft-07') || named.includes('draft-06')) return '7';
  return named.includes('2019-09') ? '2019-09' : '2020-12';
}

function sentence(unit: OutputUnit, schema: ArgumentsSchema): SchemaError {
  const path = steps(unit.instanceLocation);
  const limit = at(schema, steps(unit.keywordLocation));
  const shown = typeof limit === 'string' ? limit : toJson(limit);
  const quoted = /"([^"]*)"/.exec(unit.error)?.[1] ?? '';
  const says = (why: string): SchemaError => ({ path, why, missing: false });
  const of = (noun: string): string => `${shown} ${noun}${shown === '1' ? '' : 's'}`;
  switch (unit.keyword) {
    case 'required':
      return { path: [...path, quoted], why: 'Required.', missing: true };
    case 'false':
      // Reported for a member that is not allowed, and again for the object that contains it.
      return says('');
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return { path: [...path, quoted], why: 'Unknown name.', missing: false };
    case 'type':
      return says(`Must be ${typeText(limit)}.`);
    case 'enum':
      return says(
        `Must be one of ${Array.isArray(limit) ? limit.map((one) => toJson(one)).join(', ') : 'the allowed values'}.`,
      );
    case 'const':
      return says(`Must be ${toJson(limit)}.`);
    case 'minimum':
      return says(`At least ${shown}.`);
    case 'maximum':
      return says(`At most ${shown}.`);
    case 'exclusiveMinimum':
      return says(`More than ${shown}.`);
    case 'exclusiveMaximum':
      return says(`Less than ${shown}.`);
    case 'multipleOf':
      return says(`Must be a multiple of ${shown}.`);
    case 'minLength':
      return says(limit === 1 ? 'Required.' : `At least ${of('character')}.`);
    case 'maxLength':
      return says(`At most ${of('character')}.`);
    case 'minItems':
      return says(`At least ${of('item')}.`);
    case 'maxItems':
      return says(`At most ${of('item')}.`);
    case 'minProperties':
      return { ...says(limit === 1 ? 'At least one is required.' : `At least ${shown} are required.`), missing: true };
    case 'maxProperties':
      return says(`At most ${shown} are allowed.`);
    case 'uniqueItems':
      return says('Items must be unique.');
    case 'pattern':
      return says(`Must match ${shown}.`);
    case 'format':
      return says(`Not a valid ${shown}.${shown in WRITTEN_AS ? ` Write it as ${WRITTEN_AS[shown]}.` : ''}`);
    case 'anyOf':
    case 'oneOf':
      return says('Must match exactly one of the allowed forms.');
    case 'not':
      return says('This value is not allowed.');
    default:
      return says(`Does not satisfy “${unit.keyword}”.`);
  }
}

const TYPES: Record<string, string> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  object: 'an object: { … }',
  array: 'a list: [ … ]',
  null: 'null',
};

function typeText(types: unknown): string {
  const all = Array.isArray(types) ? types : [types];
  return all.map((type) => TYPES[String(type)] ?? String(type)).join(', or ');
}

/** `#/a/0` as steps. */
function steps(location: string): (string | number)[] {
  return location
    .split('/')
    .slice(1)
    .map((step) => decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

function at(schema: unknown, path: (string | number)[], root: unknown = schema): unknown {
  let found: unknown = schema;
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    const target = (found as Record<string, unknown>)['$ref'];
    if (step === '$ref' && typeof target === 'string') found = at(root, steps(target));
    else found = (found as Record<string | number, unknown>)[step];
  }
  return found;
}

/** The defaults of a schema, at any depth. An object without defaults is left out. */
export function defaults(schema: ArgumentsSchema): Record<string, unknown> {
  return membersOf(schema, schema);
}

function membersOf(part: Record<string, unknown>, root: ArgumentsSchema): Record<string, unknown> {
  const given = Object.entries(objectOf(part['properties'])).flatMap(([name, of]) => {
    const value = defaultOf(resolved(of, root), root);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(given);
}

function defaultOf(part: Record<string, unknown>, root: ArgumentsSchema): unknown {
  if (part['default'] !== undefined) return part['default'];
  const members = membersOf(part, root);
  return isEmpty(members) ? undefined : members;
}

/** A part of a schema with what it refers to. References never go in a circle: the engine refuses that. */
function resolved(part: unknown, root: ArgumentsSchema): Record<string, unknown> {
  const { $ref: target, ...own } = objectOf(part);
  return typeof target === 'string' ? { ...resolved(at(root, steps(target)), root), ...own } : own;
}

/** Filled-in arguments without the lists and objects that a form only holds ready. */
export function filled(value: unknown, schema: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => filled(item, objectOf(schema)['items']));
  if (typeof value !== 'object' || value === null || isLosslessNumber(value)) return value;
  const { properties, required } = objectOf(schema);
  const needed = Array.isArray(required) ? required : [];
  const members = Object.entries(value).map(([name, of]) => [name, filled(of, objectOf(properties)[name])] as const);
  return Object.fromEntries(members.filter(([name, of]) => !isEmpty(of) || needed.includes(name)));
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !isLosslessNumber(value) && Object.keys(value).length === 0;
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
