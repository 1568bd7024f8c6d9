import { counted } from './count';
import { daysUntil } from './time';

/** The remaining validity of a certificate, and how urgent its renewal is. */
export function certificateText(expiresAt: number, now: number): { words: string; grade: 'good' | 'soon' | 'over' } {
  const days = daysUntil(expiresAt, now);
  if (expiresAt <= now) {
    return { words: `expired ${days === -1 ? 'today' : `${counted(-days - 1, 'day')} ago`}`, grade: 'over' };
  }
  return { words: days === 0 ? 'expires today' : `${counted(days, 'day')} left`, grade: days < 30 ? 'soon' : 'good' };
}
