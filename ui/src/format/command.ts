/** A command with its arguments, as short as possible. */

import type { CommandView } from '../backend/bindings/CommandView';
import { wordOf } from './states';
import { counted } from './count';
import { isObject, objectFrom, toJson } from './json';
import { visible, visibleName } from './text';

/** `led on`, `config.set`, `“light: on”`: as in a row, where the name says most of it. */
export function title(command: Pick<CommandView, 'command' | 'args'>): string {
  const { on, text } = objectFrom(command.args);
  if (command.command === 'text' && typeof text === 'string') return quoted(text);
  if (command.command === 'led' && typeof on === 'boolean') return `led ${on ? 'on' : 'off'}`;
  return visible(command.command);
}

/** The sender: `you`, `another console`, or `another console, by Ana`. */
export function requestedBy({ by, operator }: Pick<CommandView, 'by' | 'operator'>): string {
  return operator === null ? visibleName(by) : `${visibleName(by)}, by ${visible(operator)}`;
}

/** The arguments, where the name alone is not enough: `temp_high_c 7.5`, `2 changes`. */
export function detail(command: Pick<CommandView, 'command' | 'args'>): string {
  const args = objectFrom(command.args);
  if (command.command === 'led' && typeof args['on'] === 'boolean') return args['on'] ? 'on' : 'off';
  if (command.command === 'text' && typeof args['text'] === 'string') return quoted(args['text']);
  if (command.command === 'config.set' && isObject(args['changes'])) {
    const changes = Object.entries(args['changes']);
    const after = args['apply'] === 'restart' ? ', on next restart' : '';
    const [first] = changes;
    if (changes.length === 1 && first) return `${pair(first)}${after}`;
    return `${counted(changes.length, 'change')}${after}`;
  }
  const rest = Object.entries(args);
  return rest.length > 2 ? counted(rest.length, 'argument') : rest.map(pair).join(', ');
}

/** As much of both as makes a line: `led on`, `config.set temp_high_c 7.5`. */
export function summary(command: Pick<CommandView, 'command' | 'args'>): string {
  return command.command === 'config.set' ? `${title(command)} ${detail(command)}`.trim() : title(command);
}

/** All values of a configuration change: `temp_high_c 7.5, buzzer false, on next restart`. */
export function changes(command: Pick<CommandView, 'args'>): string {
  const args = objectFrom(command.args);
  const pairs = isObject(args['changes']) ? Object.entries(args['changes']).map(pair) : [];
  return [...pairs, ...(args['apply'] === 'restart' ? ['on next restart'] : [])].join(', ');
}

/** The recipients of a command: `kitchen-0417`, `12 devices`. */
export function targetText(devices: string[]): string {
  const [only] = devices;
  return devices.length === 1 && only !== undefined ? visibleName(only) : counted(devices.length, 'device');
}

/** `led on: Succeeded`: the accessible name of a ladder. */
export function ladderName(command: CommandView): string {
  return `${title(command)}: ${wordOf(command.state)}`;
}

function quoted(text: string): string {
  return `“${visible(text)}”`;
}

function pair([key, value]: [string, unknown]): string {
  return visible(`${key} ${typeof value === 'string' ? value : toJson(value)}`);
}

/** Why a command cannot be called so; nothing where it can. */
export function nameError(name: string): string | null {
  if (name.trim() === '') return 'Enter a command, for example identify.';
  return /\s/.test(name.trim()) ? 'A command’s name has no spaces. To send a sentence, choose Free text.' : null;
}
