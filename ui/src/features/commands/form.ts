/** Creates forms from schemas with the library's components, replacing those that do not fit. */

import '@sjsf/form/fields/extra/enum-include';
import '@sjsf/form/fields/extra/multi-enum-include';
import '@sjsf/basic-theme/extra-widgets/checkboxes-include';

import { Validator, type Schema } from '@cfworker/json-schema';
import { theme as basic } from '@sjsf/basic-theme';
import { createFormValidator } from '@sjsf/cfworker-validator';
import type { SchemaValue } from '@sjsf/form/core';
import { overrideByRecord } from '@sjsf/form/lib/resolver';
import { resolver as compatible } from '@sjsf/form/resolvers/compat';
import { translation as english } from '@sjsf/form/translations/en';

import { isLosslessNumber } from 'lossless-json';

import { isObject, nearest } from '../../format/json';
import { WRITTEN_AS, type ArgumentsSchema } from '../../format/schema';
import AnyField from './AnyField.svelte';
import FieldTitle from './FieldTitle.svelte';
import { fromForm, toForm } from './formNumbers';
import { optionText } from './formOptions';
import NumberField from './NumberField.svelte';

/** A value of any kind is written as JSON, or as the text that it is. The library's numbers swallow what is none. */
export const theme = overrideByRecord(basic, {
  unknownField: AnyField,
  numberField: NumberField,
  integerField: NumberField,
  title: FieldTitle,
});

export const translation = overrideByRecord(english, {
  'add-array-item': 'Add an item',
  'add-object-property': 'Add a key',
  'move-array-item-up': 'Up',
  'move-array-item-down': 'Down',
  'copy-array-item': 'Copy',
  'remove-array-item': 'Remove',
  'remove-object-property': 'Remove',
  'array-schema-missing-items': 'The schema does not define the items of this list. Enter them as JSON.',
  'additional-property': 'name',
  'key-input-title': () => 'Name',
});

/** Marks a part that may be of several types: the library would guess one from what is there. */
const ANY = 'of any type';
const OPEN = { type: 'string', $comment: ANY };
const TELLING = ['enum', 'const', 'anyOf', 'oneOf', 'allOf', '$ref', 'properties', 'items'];

/** Members whose values are no schemas, and members whose values are schemas by name, whatever the name. */
const DATA = ['default', 'const', 'enum', 'examples'];
const NAMED = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies'];

/** A schema as the library draws it: values as the form holds them, and limits as the nearest numbers. */
export function drawable(schema: ArgumentsSchema): ArgumentsSchema {
  const drawn = { ...(marked(schema, false) as ArgumentsSchema) };
  // The dialog has a heading already.
  delete drawn['title'];
  delete drawn['description'];
  return drawn;
}

export const resolver: typeof compatible = (context) => {
  const typed = compatible(context);
  return (config) => (config.schema.$comment === ANY ? 'unknownField' : typed(config));
};

/** Which branch of a choice a value is of. A number that is kept as its text is a text in the form. */
export const validator = () =>
  createFormValidator<Record<string, unknown>>({
    factory: (schema) => new Validator(nearest(fromForm(schema)) as Schema, '7', false),
    valueToJSON: (value) => nearest(fromForm(JSON.parse(JSON.stringify(value ?? null)))) as SchemaValue,
  });

function marked(part: unknown, isValue: boolean): unknown {
  // It draws "anything may be added" only where it is said with a schema.
  if (part === true && isValue) return OPEN;
  if (Array.isArray(part)) return part.map((one) => marked(one, isValue));
  if (!isObject(part)) return nearest(part);
  const out = written(Object.fromEntries(Object.entries(part).map(([name, of]) => [name, markedMember(name, of)])));
  // The library would take the number for the text that it is in the form.
  if (isLosslessNumber(part['const']) && part['type'] === undefined) out['type'] = 'number';
  return isValue && isOpen(out) ? { ...out, ...OPEN } : out;
}

function markedMember(name: string, value: unknown): unknown {
  if (DATA.includes(name)) return toForm(value);
  if (NAMED.includes(name) && isObject(value)) {
    const isValue = name === 'properties';
    return Object.fromEntries(Object.entries(value).map(([member, of]) => [member, marked(of, isValue)]));
  }
  if ((name === 'oneOf' || name === 'anyOf') && Array.isArray(value))
    return value.every((one) => constantOf(one) !== undefined) ? value.map(option) : marked(value, false);
  return marked(value, ['items', 'prefixItems', 'additionalProperties'].includes(name));
}

/** Where each branch is a single value, it is an option with that value as its title. */
function option(branch: unknown): unknown {
  return { title: optionText(constantOf(branch)), ...(marked(branch, false) as Record<string, unknown>) };
}

function constantOf(branch: unknown): unknown {
  if (!isObject(branch)) return undefined;
  const values: unknown = branch['enum'];
  return Array.isArray(values) && values.length === 1 ? values[0] : branch['const'];
}

/** The browser's own fields for these leave out seconds and offset, without which they are none. */
const MOMENTS = ['date-time', 'time'];

/** A moment is written as text. */
function written(schema: Record<string, unknown>): Record<string, unknown> {
  if (schema['format'] === 'color') return asColour(schema);
  const { format, description, ...rest } = schema;
  if (schema['type'] !== 'string' || typeof format !== 'string' || !MOMENTS.includes(format)) return schema;
  const text = typeof description === 'string' && description !== '' ? `${description} ` : '';
  return { ...rest, description: `${text}Format: ${WRITTEN_AS[format]}.` };
}

/** A colour is drawn as one, whether it is a text or an object. */
function asColour({ title, description, notation }: Record<string, unknown>): Record<string, unknown> {
  const told = Object.entries({ title, description, notation }).filter(([, of]) => of !== undefined);
  return { format: 'color', ...Object.fromEntries(told) };
}

function isOpen(schema: Record<string, unknown>): boolean {
  const { type } = schema;
  if (Array.isArray(type)) return type.filter((one) => one !== 'null').length > 1;
  return type === undefined && !TELLING.some((keyword) => keyword in schema);
}
