import type { CommandDefinition } from '../backend/bindings/CommandDefinition';
import { BLANK } from '../format/definition';
import { toJson } from '../format/json';

/** A user's own command, with arguments of each kind. */
export const VALVE: CommandDefinition = {
  ...BLANK,
  name: 'valve.open',
  title: 'Open the valve',
  schema: toJson({
    type: 'object',
    properties: {
      percent: { type: 'integer', title: 'How far', minimum: 0, maximum: 100, default: 50 },
      mode: { enum: ['slow', 'fast'], title: 'Manner' },
      quiet: { type: 'boolean', title: 'Quietly' },
      steps: {
        type: 'array',
        title: 'Steps',
        items: { type: 'object', properties: { at: { type: 'number', title: 'At' } }, required: ['at'] },
      },
      where: { type: 'object', title: 'Where', properties: { zone: { type: 'string', title: 'Zone' } } },
    },
    required: ['percent', 'mode'],
  }),
  safe_to_repeat: true,
  icon: 'drop',
};
