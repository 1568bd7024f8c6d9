/** The defaults of a user-defined command. */

import type { CommandDefinition } from '../backend/bindings/CommandDefinition';

export const BLANK: CommandDefinition = {
  name: '',
  title: '',
  connection: null,
  schema: '{"type":"object","properties":{},"additionalProperties":false}',
  topic: null,
  payload: null,
  plain: false,
  timeout_ms: 10_000,
  ttl_ms: 60_000,
  safe_to_repeat: false,
  dangerous: false,
  answer_expected: true,
  icon: 'send',
};
