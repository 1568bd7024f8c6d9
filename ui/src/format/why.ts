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
  if (command.unreadable !== null && (command.state === 'sent' || command.state === 'at_broker')) {
    return tell('i-alert', 'An answer came that cannot be read.', brief(command.unreadable.why), countdown);
  }
  switch (command.state) {
    case 'queued':
      if (around.connected && command.message !== null && command.message !== '')
        return ended(command, 's-queued', command.message);
      return around.connected
        ? tell('s-queued', 'Written to the outbox.', 'Wilco sends it as soon as the broker accepts it.')
        : tell('s-queued', 'Waiting in the outbox for the connection.', 'Wilco sends it when the connection is back.');
    case 'held':
      return tell(
        's-held',
        'The device is offline, so the command waits here.',
        'Wilco sends it when the device is online.',
        command.deadline === null ? '' : `It expires in ${left(command.deadline - now)}.`,
      );
    case 'sent':
      return tell('s-late', 'Sent. The broker has not acknowledged it yet.', countdown);
    case 'at_broker':
      return command.nobody_listening
        ? tell(
            'i-alert',
            `The broker reports no subscribers on ${topic(command, around)}.`,
            'Check that the device is running and uses this topic prefix.',
            countdown,
          )
        : tell('s-late', 'The broker has it. No answer from the device yet.', countdown);
    case 'accepted':
      return tell('s-late', 'The device has accepted it and not finished yet.', said(command), countdown);
    case 'running':
      return tell(
        's-running',
        command.progress === null
          ? 'The device is working on it.'
          : `The device is working on it: ${command.progress} % done.`,
        said(command),
        countdown,
      );
    case 'succeeded':
      if (command.settled_by === 'report')
        return tell('s-done', visible(command.message ?? 'The device reported what was requested.'), took(command));
      return tell('s-done', 'The device says it is done.', took(command), said(command));
    case 'failed':
      return tell(
        'i-alert',
        'The device accepted the command and could not do it.',
        said(command) || 'It gave no reason.',
        'Fix the cause, then send it again.',
      );
    case 'rejected':
      return tell(
        'i-alert',
        'The device refused the command.',
        said(command) || 'It gave no reason.',
        command.clocks_differ
          ? 'Most likely the clocks of this computer and of the device differ. Set both by NTP, then send it again.'
          : '',
        command.command === 'config.set' ? 'Changes apply together or not at all, so none was applied.' : '',
        'Check the command and its arguments, then send it again.',
      );
    case 'undeliverable':
      return ended(command, 'i-alert', 'It could not be delivered. The device was not asked.');
    case 'unconfirmed':
      return ended(command, 's-unknown', 'The broker has it. No answer is expected.', 'No device has confirmed it.');
    case 'timed_out':
      return ended(
        command,
        's-timed-out',
        'No answer in time. The device may have run it.',
        command.attempts > 1 ? `It was sent ${count(command.attempts)} times.` : '',
        'A late answer still counts. Check that the device is online before you send it again.',
      );
    case 'expired':
      return ended(command, 's-expired', 'It expired before it was sent. The device did not receive it.');
    case 'cancelled':
      return ended(command, 's-cancelled', 'Cancelled before it was sent. It will not be sent.');
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
  if (command.late) out.push('The answer arrived after the command had timed out.');
  if (command.settled_by === 'report') out.push('Inferred from its report: no answer names this command.');
  else if (command.match === 'inferred') out.push('The answer has no ID; it can only belong to this command.');
  if (command.match === 'ambiguous')
    out.push('An answer without an ID arrived, and it could belong to more than one command.');
  if (command.unreadable !== null && !['sent', 'at_broker', 'timed_out'].includes(command.state))
    out.push(`Something else came about it that cannot be read. ${brief(command.unreadable.why)}`);
  if (command.conflict) out.push('A second, different answer arrived. The first one counts; both are in the history.');
  if (command.contradicted !== null && command.message === null)
    out.push(`But the device reported ${wordOf(command.contradicted).toLowerCase()}.`);
  if (command.duplicates > 0) {
    out.push(
      command.duplicates === 1
        ? 'The answer arrived twice.'
        : `The answer arrived ${count(command.duplicates + 1)} times.`,
    );
  }
  return out;
}

function took(command: CommandView): string {
  return `It took ${duration((command.finished_at ?? command.changed_at) - command.queued_at)}.`;
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
