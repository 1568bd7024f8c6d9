/** Topic and payload templates, as far as the invented engine needs them. */

import { toJson } from '../../format/json';

interface Known {
  device: string;
  command: string;
  args: Record<string, unknown>;
}

const PLACE = /\{([a-z][\w.-]*)\}/gi;
const SAMPLE_ID = '0198f3c2-7d1e-7c2a-9c55-1f2e3d4c5b6a';
const NAMES = ['id', 'device', 'command', 'args', 'issued_at', 'expires_at', 'attempt'];

export function written(template: string, { device, command, args }: Known, plain: boolean): string {
  const now = Date.now();
  const values: Record<string, unknown> = {
    id: SAMPLE_ID,
    device,
    command,
    args,
    issued_at: now,
    expires_at: now + 60_000,
    attempt: 1,
  };
  const value = (name: string) => (name.startsWith('args.') ? (args[name.slice(5)] ?? null) : (values[name] ?? null));
  const text = (name: string) => {
    const found = value(name);
    return typeof found === 'string' ? found : found === null ? '' : toJson(found);
  };
  return template.replace(PLACE, (_, name: string, at: number) => {
    if (plain) return text(name);
    const quotes = template.slice(0, at).replace(/\\./g, '').split('"').length - 1;
    return quotes % 2 === 1 ? JSON.stringify(text(name)).slice(1, -1) : toJson(value(name));
  });
}

/** Why a form cannot work; nothing where it can. */
export function refusedTemplate(topic: string | null, payload: string | null, plain: boolean): string | null {
  for (const [, name = ''] of `${topic ?? ''} ${payload ?? ''}`.matchAll(PLACE)) {
    if (!NAMES.includes(name) && !name.startsWith('args.')) return `{${name}} is unknown.`;
  }
  if (topic !== null) {
    const wildcard = /[+#]/.exec(topic)?.[0];
    if (!topic.includes('{device}'))
      return `The topic ${topic} does not contain {device}, so a command would reach every device. Add it.`;
    if (wildcard !== undefined)
      return `The topic contains the wildcard ${wildcard}. Only subscriptions can have wildcards.`;
    if (topic.split('/').includes('')) return 'The topic has an empty level. Remove the extra /.';
  }
  if (payload === null || plain) return null;
  try {
    JSON.parse(written(payload, { device: 'device-1', command: 'command', args: {} }, false));
    return null;
  } catch {
    return 'The payload does not produce JSON. Put names and strings in double quotes, but not placeholders.';
  }
}
