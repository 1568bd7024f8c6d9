/** What is said of a device that sends more than is read. */

import { counted } from './count';

export function overRateText(perSecond: number): string {
  return `Sends ${counted(perSecond, 'message')} per second. Wilco reads only its newest report and keeps few repeated messages.`;
}
