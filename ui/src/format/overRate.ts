/** The remark about a device that sends more than Wilco reads. */

import { counted } from './count';

export function overRateText(perSecond: number): string {
  return `Sends ${counted(perSecond, 'message')} per second. Wilco reads only its newest report and keeps few repeated messages.`;
}
