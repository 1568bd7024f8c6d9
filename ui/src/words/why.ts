/** The words under a ladder: what happened, and what to do. */

import type { CommandView } from '../backend/bindings/CommandView';
import { count } from './count';
import { brief, itSaid, visible } from './text';
import { duration, left } from './time';
import { wordOf } from './states';

export interface Why {
  /** The symbol beside the words. */
  glyph: string;
  /** What happened. */
  what: string;
  /** What it means, and what to do. */
  then: string;
}

/** What is known beside the command itself. */
export interface Surroundings {
  /** The topic prefix of the connection; empty for none. */
  prefix: string;
  /** Whether the connection is online. */
  connected: boolean;
}

export function why(command: CommandView, now: number, around: Surroundings): Why {
  const { what, then, glyph } = told(command, now, around);
  return { glyph, what, then: [...then, ...remarks(command)].filter((part) => part !== '').join(' ') };
}

interface Told {
  glyph: string;
  what: string;
  then: string[];
}

function told(command: CommandView, now: number, around: Surroundings): Told {
  const countdown = remaining(command, now);
  switch (command.state) {
    case 'queued':
      return around.connected
        ? tell('s-queued', 'Written to the outbox.', 'It goes out as soon as the broker can take it.')
        : tell('s-queued', 'It waits in the outbox for the connection.', 'It goes out once the broker is there again.');
    case 'held':
      return tell(
        's-held',
        'The device is offline, so the command waits here.',
        'It goes out when the device is back.',
        command.deadline === null ? '' : `It expires in ${left(command.deadline - now)}.`,
      );
    case 'sent':
      return tell('s-late', 'It is on the wire. The broker has not acknowledged it.', countdown);
    case 'at_broker':
      return command.nobody_listening
        ? tell(
            'i-alert',
            `The broker says that nobody listens on ${topic(command, around)}.`,
            'Check that the device is running and that the topic prefix is the one it uses.',
            countdown,
          )
        : tell('s-late', 'The broker has it. The device has not answered yet.', countdown);
    case 'accepted':
      return tell('s-late', 'The device has it, and has not said it is done.', said(command), countdown);
    case 'running':
      return tell(
        's-running',
        command.progress === null ? 'The device is at it.' : `The device is at it: ${command.progress} % done.`,
        said(command),
        countdown,
      );
    case 'succeeded':
      return tell(
        's-done',
        'The device said it is done.',
        `It took ${duration((command.finished_at ?? command.changed_at) - command.queued_at)}.`,
        said(command),
      );
    case 'failed':
      return tell(
        'i-alert',
        'The device took the command and could not do it.',
        said(command) || 'It did not say why.',
        'Mend the cause before you ask again.',
      );
    case 'rejected':
      return tell(
        'i-alert',
        'The device refused the command.',
        said(command) || 'It did not say why.',
        command.command === 'config.set' ? 'Changes are made all or none, so none of these was made.' : '',
        'Look at the command and its arguments before you ask again.',
      );
    case 'undeliverable':
      return ended(command, 'i-alert', 'It could not be delivered. The device was not asked.');
    case 'unconfirmed':
      return ended(
        command,
        's-unknown',
        'The broker has it. No answer is expected.',
        'Nobody has said that it was done.',
      );
    case 'timed_out':
      return ended(
        command,
        's-timed-out',
        'No answer in time. It may have run all the same.',
        command.attempts > 1 ? `It was sent ${count(command.attempts)} times.` : '',
        'A late answer would still settle it. Look whether the device is online before you ask again.',
      );
    case 'expired':
      return ended(
        command,
        's-expired',
        'Its time ran out before it could be sent. It was never sent, and will not be.',
      );
    case 'cancelled':
      return ended(command, 's-cancelled', 'Cancelled before it was sent. It will not be sent.');
    default:
      return tell('s-unknown', `${wordOf(command.state)}.`);
  }
}

/** An end without the device: the ledger's own sentences, the first of which says what happened. */
function ended(command: CommandView, glyph: string, otherwise: string, ...then: string[]): Told {
  const message = command.message === null || command.message === '' ? otherwise : brief(command.message);
  const [, what = message, rest = ''] = /^(.*?\.)\s+(.*)$/s.exec(message) ?? [];
  return tell(glyph, what, rest, ...then);
}

function tell(glyph: string, what: string, ...then: string[]): Told {
  return { glyph, what, then };
}

/** What must be said of a command whatever its state. */
function remarks(command: CommandView): string[] {
  const out: string[] = [];
  if (command.late) out.push('The answer came late, after this had counted as timed out.');
  if (command.match === 'inferred') out.push('The answer carried no id; only this command could be meant.');
  if (command.match === 'ambiguous')
    out.push('An answer came without an id, and more than one command could be meant.');
  if (command.conflict) out.push('A second, different answer came. The first one stands; both are in the history.');
  if (command.contradicted !== null && command.message === null)
    out.push(`But the device reports ${wordOf(command.contradicted).toLowerCase()}.`);
  if (command.duplicates > 0) {
    out.push(
      command.duplicates === 1 ? 'The answer came twice.' : `The answer came ${count(command.duplicates + 1)} times.`,
    );
  }
  return out;
}

function remaining(command: CommandView, now: number): string {
  if (command.deadline === null) return '';
  return `It has ${left(command.deadline - now)} left before this counts as timed out.`;
}

/** The device's own sentence, quoted. */
function said(command: CommandView): string {
  return command.message === null || command.message === '' ? '' : itSaid(command.message);
}

function topic(command: CommandView, around: Surroundings): string {
  return visible(`${around.prefix === '' ? '' : `${around.prefix}/`}${command.device}/req`);
}
