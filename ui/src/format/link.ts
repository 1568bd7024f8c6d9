/** The state of a connection, in words. */

import type { LinkState } from '../backend/bindings/LinkState';
import { left } from './time';

const WORDS: Record<LinkState['state'], string> = {
  loading: 'Loading…',
  connecting: 'Connecting…',
  subscribing: 'Subscribing…',
  online: 'Connected',
  waiting: 'Retrying',
  stopped: 'Stopped',
};

export function linkWord(link: LinkState): string {
  return WORDS[link.state];
}

export function linkGlyph(link: LinkState): string {
  if (link.state === 'online') return 's-online';
  return link.state === 'stopped' || link.state === 'waiting' ? 's-offline' : 's-unknown';
}

/** The text about a connection that is not online: the cause, the remedy, and when Wilco retries. */
export function linkStory(link: LinkState, now: number): { what: string; then: string; next: string } | null {
  switch (link.state) {
    case 'online':
      return null;
    case 'loading':
      return {
        what: 'Loading the devices…',
        then: 'Wilco connects after loading the devices and unfinished commands.',
        next: '',
      };
    case 'connecting':
      return { what: 'Connecting…', then: 'Commands wait in the outbox until Wilco is connected.', next: '' };
    case 'subscribing':
      return {
        what: 'Connected, subscribing…',
        then: 'Wilco sends nothing until the broker confirms the subscriptions.',
        next: '',
      };
    case 'waiting': {
      const next = link.retry_at > now ? `Next attempt in ${left(link.retry_at - now)}.` : 'Retrying now…';
      return { what: link.message, then: link.hint ?? '', next };
    }
    case 'stopped':
      return {
        what: link.message,
        then: link.hint ?? 'Wilco does not retry until you change the connection.',
        next: '',
      };
  }
}
