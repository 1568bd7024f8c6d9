/** The values of an `enum` in a form: shown with all digits, and found even if a value is written differently. */

import type { Config, ExtraUiOptions } from '@sjsf/form';
import type { EnumOption, SchemaValue } from '@sjsf/form/core';
import { fromFactories } from '@sjsf/form/lib/resolver';
import { EMPTY_VALUE, type EnumValueMapper, type EnumValueMapperBuilder } from '@sjsf/form/options.svelte';

import { same } from '../../format/decimal';
import { isObject, toJson } from '../../format/json';
import { fromForm } from './formNumbers';

/** A value as an option shows it. */
export function optionText(value: unknown): string {
  return typeof value === 'string' ? value : toJson(value);
}

/** The options of each field that has some. */
export const options = fromFactories({
  enumNames: ({ schema }: Config) => {
    const values = schema.enum ?? (isObject(schema.items) ? schema.items['enum'] : undefined);
    return Array.isArray(values) ? values.map((value) => optionText(fromForm(value))) : undefined;
  },
  enumValueMapperBuilder: () => () => new ExactMapper(),
}) as ExtraUiOptions;

class ExactMapper implements EnumValueMapperBuilder {
  readonly #options: EnumOption<SchemaValue>[] = [];

  push(option: EnumOption<SchemaValue>): string {
    this.#options.push(option);
    return option.id;
  }

  build(): EnumValueMapper {
    return {
      fromValue: (value) => {
        if (value === undefined) return EMPTY_VALUE;
        const exact = fromForm(value);
        return this.#options.find((option) => same(fromForm(option.value), exact))?.id ?? EMPTY_VALUE;
      },
      toValue: (id) => this.#options.find((option) => option.id === id)?.value,
    };
  }
}
