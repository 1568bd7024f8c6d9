/** Logs of the invented fleet. Devices with an ID that ends in 7 lose two chunks on the first try. */

import type { CommandView } from '../bindings/CommandView';
import type { KeptLog } from '../bindings/KeptLog';
import type { LogPart } from '../bindings/LogPart';
import type { LogView } from '../bindings/LogView';
import { failure } from './failure';
import { random } from './random';
import { objectFrom } from '../../format/json';

const SAID: [level: string, text: string][] = [
  ['INFO', 'telemetry sent: 4 series'],
  ['INFO', 'req led: accepted'],
  ['DEBUG', 'wifi: rssi -61 dBm, channel 6'],
  ['INFO', 'led on'],
  ['WARN', 'wifi: 2 beacons missed'],
  ['DEBUG', 'heap: 148,032 bytes free, largest block 63,488'],
  ['INFO', 'config.set: report_interval_s 30 -> 60, after restart'],
  ['ERROR', 'flash: write error at 0x1f0000, block marked bad'],
  ['INFO', 'mqtt: PUBACK 41'],
  ['WARN', 'clock: 1.2 s behind, set'],
];
const EVERY = 900;
const LINES_OF_CHUNK = 120;
const WHOLE = 2_400;

export class FakeLogs {
  readonly #forgotten = new Set<string>();

  kept(commands: CommandView[]): KeptLog[] {
    return commands
      .filter(({ id, command, state }) => command === 'log.get' && state === 'succeeded' && !this.#forgotten.has(id))
      .slice(0, 5)
      .map(({ id, accepted_at, queued_at }) => ({ id, begun_at: accepted_at ?? queued_at }));
  }

  view(command: CommandView | null, withText: boolean): LogView {
    if (command === null || this.#forgotten.has(command.id)) throw failure('not_found', 'There is no such log.', null);
    const text = textOf(command);
    const chunks = chunksOf(text);
    const of = chunks.length;
    const have = command.state === 'succeeded' ? of : command.final ? 0 : Math.floor(of / 2);
    const lost = loses(command) && have === of && of > 7 ? [3, 7] : [];
    const parts = partsOf(chunks.slice(0, have), lost);
    const view: LogView = {
      connection: command.connection,
      device: command.device,
      id: command.id,
      asked_at: command.queued_at,
      standing: 'whole',
      sentence: `Complete: ${size(text.length)} in ${of} ${of === 1 ? 'chunk' : 'chunks'}, checksum verified.`,
      have: have - lost.length,
      of,
      bytes: text.length,
      parts: withText ? parts : [],
    };
    if (lost.length > 0) return { ...view, standing: 'gaps', sentence: `Chunks 3 and 7 of ${of} were not received.` };
    if (have === of) return view;
    if (command.final) return { ...view, standing: 'gaps', of: null, bytes: 0, sentence: 'Nothing was received.' };
    return { ...view, standing: 'coming', sentence: `Received ${have} of ${of} chunks; missing: ${have + 1}–${of}.` };
  }

  forget(id: string): void {
    this.#forgotten.add(id);
  }
}

/** `512 bytes`, `10.5 kB`, as the engine writes it. */
function size(bytes: number): string {
  return bytes < 1_000 ? `${bytes} bytes` : `${(bytes / 1_000).toFixed(1)} kB`;
}

function loses({ device, args }: CommandView): boolean {
  return device.endsWith('7') && objectFrom(args)['lines'] === undefined;
}

/** Lines up to the time of the request, the same for every fetch. */
function textOf({ device, queued_at: until, args }: CommandView): string {
  const last = Math.floor(until / EVERY);
  const asked = objectFrom(args)['lines'];
  const wanted = typeof asked === 'number' ? asked : WHOLE;
  const lines = Array.from({ length: Math.min(wanted, WHOLE) }, (_, i) => lineAt(last - wanted + i + 1, device));
  return lines.map((line) => `${line}\n`).join('');
}

function lineAt(place: number, device: string): string {
  const next = random((place % 1_000_003) + device.length);
  const [level, text] = SAID[Math.floor(next() ** 2 * SAID.length)] ?? ['INFO', 'alive'];
  return `${new Date(place * EVERY).toISOString()} ${level.padEnd(5)} ${text}`;
}

function chunksOf(text: string): string[] {
  const lines = text.split(/(?<=\n)/);
  const chunks: string[] = [];
  for (let i = 0; i < lines.length; i += LINES_OF_CHUNK) chunks.push(lines.slice(i, i + LINES_OF_CHUNK).join(''));
  return chunks.length === 0 ? [''] : chunks;
}

function partsOf(chunks: string[], lost: number[]): LogPart[] {
  const parts: LogPart[] = [];
  chunks.forEach((text, i) => {
    const number = i + 1;
    const before = parts.at(-1);
    if (lost.includes(number)) parts.push({ first: number, last: number, text: null });
    else if (before?.text !== undefined && before.text !== null)
      parts[parts.length - 1] = { ...before, last: number, text: before.text + text };
    else parts.push({ first: number, last: number, text });
  });
  return parts;
}
