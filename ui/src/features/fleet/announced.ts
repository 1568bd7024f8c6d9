/** Commands that a device has announced, as catalogue commands, so that the same forms show them. */

import type { CatalogueEntry } from '../../backend/bindings/CatalogueEntry';
import type { DeviceCommandView } from '../../backend/bindings/DeviceCommandView';

const TIMEOUT_MS = 10_000;
const TTL_MS = 60_000;

export function entryOf(command: DeviceCommandView): CatalogueEntry {
  return {
    id: command.name,
    built_in: true,
    definition: {
      name: command.name,
      title: command.title,
      connection: null,
      schema: command.schema,
      topic: null,
      payload: null,
      plain: false,
      timeout_ms: TIMEOUT_MS,
      ttl_ms: TTL_MS,
      safe_to_repeat: false,
      dangerous: false,
      answer_expected: command.reports_back,
      icon: 'send',
    },
  };
}
