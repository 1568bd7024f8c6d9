/** The text below a ladder: what happened, and what to do. */

import type { CommandView } from '../backend/bindings/CommandView';
import { count } from './count';
import { brief, quoted, visible } from './text';
import { duration, left } from './time';
import { topicBelow } from './topics';
import { wordOf } from './states';

export interface Why {
  /** The symbol beside the words. */
  glyph: string;
  /** What happened. */
  what: string;
  /** The meaning, and the remedy. */
  then: string;
}

/** Facts beside the command itself. */
export interface Surroundings {
  /** The topic prefix of the connection; empty for none. */
  prefix: string;
  /** Whether the connection is online. */
  connected: boolean;
}

export function why(command: CommandView, now: number, around: Surroundings): Why {
  const { what, then, glyph } = explain(command, now, around);
  return { glyph, what, then: [...then, ...remarks(command)].filter((part) => part !== '').join(' ') };
}

interface Explanation {
  glyph: string;
  what: string;
  then: string[];
}

function explain(command: CommandView, now: number, around: Surroundings): Explanation {
  const countdown = remaining(command, now);
  if (command.unreadable !== null && (command.state === 'sent' || command.state === 'at_broker')) {
    return explanation('i-alert', 'An unreadable answer arrived.', brief(command.unreadable.why), countdown);
  }
  switch (command.state) {
    case 'queued':
      if (around.connected && command.message !== null && command.message !== '')
        return ended(command, 's-queued', command.message);
      return around.connected
        ? explanation('s-queued', 'Written to the outbox.', 'Wilco sends it as soon as the broker accepts it.')
        : explanation(
            's-queued',
            'In the outbox, because Wilco is not connected to the broker.',
            'Wilco sends it when the connection is back.',
          );
    case 'held':
      return explanation(
        's-held',
        'The device is offline, so Wilco holds the command.',
        'Wilco sends it when the device is online.',
        command.deadline === null ? '' : `It expires in ${left(command.deadline - now)}.`,
      );
    case 'sent':
      return explanation('s-waiting', 'Sent. The broker has not acknowledged it yet.', countdown);
    case 'at_broker':
      return command.nobody_listening
        ? explanation(
            'i-alert',
            `The broker reports no subscribers on ${topic(command, around)}.`,
            'Check that the device is running and uses this topic prefix.',
            countdown,
          )
        : explanation('s-waiting', 'The broker has it. No answer from the device yet.', countdown);
    case 'accepted':
      return explanation('s-waiting', 'The device has accepted it but has not finished.', said(command), countdown);
    case 'running':
      return explanation(
        's-running',
        command.progress === null
          ? 'The device is working on it.'
          : `The device is working on it: ${command.progress} % done.`,
        said(command),
        countdown,
      );
    case 'succeeded':
      if (command.settled_by === 'report')
        return explanation(
          's-done',
          visible(command.message ?? 'The device reported the requested state.'),
          took(command),
        );
      return explanation('s-done', 'The device says it is done.', took(command), said(command));
    case 'failed':
      return explanation(
        'i-alert',
        'The device accepted the command, but it failed.',
        said(command) || 'The device gave no reason.',
        'Fix the cause, then send it again.',
      );
    case 'rejected':
      return explanation(
        'i-alert',
        'The device refused the command.',
        said(command) || 'The device gave no reason.',
        command.clocks_differ
          ? 'The clocks of this computer and the device probably differ. Synchronise both with NTP, then send it again.'
          : '',
        command.command === 'config.set' ? 'Changes apply all together or not at all, so none was applied.' : '',
        'Check the command and its arguments, then send it again.',
      );
    case 'undeliverable':
      return ended(command, 'i-alert', 'It could not be delivered. The device did not receive it.');
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
function ended(command: CommandView, glyph: string, otherwise: string, ...then: string[]): Explanation {
  const message = command.message === null || command.message === '' ? otherwise : brief(command.message);
  const [, what = message, rest = ''] = /^(.*?\.)\s+(.*)$/s.exec(message) ?? [];
  return explanation(glyph, what, rest, ...then);
}

function explanation(glyph: string, what: string, ...then: string[]): Explanation {
  return { glyph, what, then };
}

/** Remarks about a command that do not depend on its state. */
function remarks(command: CommandView): string[] {
  const out: string[] = [];
  if (command.late) out.push('The answer arrived after the command had timed out.');
  if (command.settled_by === 'report') out.push('Inferred from its report: no answer names this command.');
  else if (command.match === 'inferred') out.push('The answer has no ID; it can only belong to this command.');
  if (command.match === 'ambiguous')
    out.push('An answer without an ID arrived, and it could belong to more than one command.');
  if (command.unreadable !== null && !['sent', 'at_broker', 'timed_out'].includes(command.state))
    out.push(`Another message about it could not be read. ${brief(command.unreadable.why)}`);
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
  return `It times out in ${left(command.deadline - now)}.`;
}

/** The device's own sentence, quoted. */
function said(command: CommandView): string {
  return command.message === null || command.message === '' ? '' : quoted(command.message);
}

function topic(command: CommandView, around: Surroundings): string {
  return visible(topicBelow(around.prefix, `${command.device}/req`));
}
