/**
 * The keywords of JSON Schema that compare values, to the last digit. The validator compares the nearest doubles; what is
 * found here replaces what it says. Within `anyOf`, `oneOf`, `not`, `if`, `contains` and dependent schemas, which apply
 * only to some values, the validator's word stands: the engine is exact there, and decides.
 */

import { encodePointer, type OutputUnit } from '@cfworker/json-schema';

import { compare, isMultipleOf, isNumeric, isWhole, same } from './decimal';
import { isObject } from './json';

type Part = Record<string, unknown>;

/** The result for one keyword, with the error where it does not hold. */
interface Judged {
  unit: OutputUnit;
  holds: boolean;
}

/** The validator's errors, with those of these keywords exact. `find` follows a reference. */
export function exactly(
  units: OutputUnit[],
  schema: Part,
  value: unknown,
  ignoresBesideReference: boolean,
  find: (place: string) => unknown,
): OutputUnit[] {
  const judged = new Map<string, Judged>();
  visit(schema, value, '#', '#');
  const told = new Set(units.map(placeOf));
  const further = [...judged].filter(([place, { holds }]) => !holds && !told.has(place));
  return [...units.filter((unit) => judged.get(placeOf(unit))?.holds !== true), ...further.map(([, { unit }]) => unit)];

  function visit(part: unknown, at: unknown, instanceLocation: string, location: string): void {
    if (!isObject(part)) return;
    if (typeof part['$ref'] === 'string') {
      visit(find(part['$ref']), at, instanceLocation, `${location}/$ref`);
      if (ignoresBesideReference) return;
    }
    for (const [keyword, holds] of judge(part, at)) {
      const unit = { keyword, keywordLocation: `${location}/${keyword}`, instanceLocation, error: '' };
      judged.set(placeOf(unit), { unit, holds });
    }
    listOf(part['allOf']).forEach((one, i) => visit(one, at, instanceLocation, `${location}/allOf/${i}`));
    if (Array.isArray(at)) visitItems(part, at, instanceLocation, location);
    else if (isObject(at)) visitMembers(part, at, instanceLocation, location);
  }

  function visitItems(part: Part, at: unknown[], instanceLocation: string, location: string): void {
    const tuple = Array.isArray(part['items']) ? 'items' : 'prefixItems';
    const first = listOf(part[tuple]);
    at.forEach((item, i) => {
      if (i < first.length) visit(first[i], item, `${instanceLocation}/${i}`, `${location}/${tuple}/${i}`);
      else if (tuple === 'prefixItems') visit(part['items'], item, `${instanceLocation}/${i}`, `${location}/items`);
    });
  }

  function visitMembers(part: Part, at: Part, instanceLocation: string, location: string): void {
    const properties = isObject(part['properties']) ? part['properties'] : {};
    const patterns = Object.entries(isObject(part['patternProperties']) ? part['patternProperties'] : {});
    for (const [name, member] of Object.entries(at)) {
      const place = `${instanceLocation}/${encodePointer(name)}`;
      const matching = patterns.filter(([pattern]) => new RegExp(pattern, 'u').test(name));
      const named = Object.hasOwn(properties, name);
      if (named) visit(properties[name], member, place, `${location}/properties/${encodePointer(name)}`);
      for (const [pattern, of] of matching)
        visit(of, member, place, `${location}/patternProperties/${encodePointer(pattern)}`);
      if (!named && matching.length === 0)
        visit(part['additionalProperties'], member, place, `${location}/additionalProperties`);
    }
  }
}

function placeOf({ keywordLocation, instanceLocation }: OutputUnit): string {
  return JSON.stringify([keywordLocation, instanceLocation]);
}

/** Each of these keywords that says something of the value, and whether it holds. */
function judge(part: Part, value: unknown): [string, boolean][] {
  const out: [string, boolean][] = [];
  if (part['const'] !== undefined) out.push(['const', same(value, part['const'])]);
  if (Array.isArray(part['enum'])) out.push(['enum', part['enum'].some((one) => same(value, one))]);
  if (Array.isArray(value) && part['uniqueItems'] === true)
    out.push(['uniqueItems', value.every((item, i) => !value.slice(0, i).some((other) => same(item, other)))]);
  if (!isNumeric(value)) return out;
  if (part['type'] !== undefined) {
    const types = Array.isArray(part['type']) ? part['type'] : [part['type']];
    out.push(['type', types.includes('number') || (types.includes('integer') && isWhole(value))]);
  }
  const limit = (keyword: string, holds: (order: number) => boolean) => {
    const of = part[keyword];
    if (isNumeric(of)) out.push([keyword, holds(compare(value, of))]);
  };
  // In draft 4 a limit is excluded by `true`.
  limit('minimum', (order) => (part['exclusiveMinimum'] === true ? order > 0 : order >= 0));
  limit('maximum', (order) => (part['exclusiveMaximum'] === true ? order < 0 : order <= 0));
  limit('exclusiveMinimum', (order) => order > 0);
  limit('exclusiveMaximum', (order) => order < 0);
  const step = part['multipleOf'];
  if (isNumeric(step)) out.push(['multipleOf', isMultipleOf(value, step)]);
  return out;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
