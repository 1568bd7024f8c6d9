/** The remarks about a device that sends more than Wilco reads. */

import { counted } from './count';

/** The remark where there is one line. */
export function overRateBrief(perSecond: number): string {
  return `${counted(perSecond, 'message')} per second: not all are kept`;
}

export function overRateText(perSecond: number): string {
  return `Sends ${counted(perSecond, 'message')} per second. Wilco reads only the newest report, and keeps few of the repeated messages.`;
}
