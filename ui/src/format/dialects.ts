/** Dialects and the devices that speak them, in words. */

import type { FoundDialect } from '../backend/bindings/FoundDialect';
import { counted } from './count';

/** `3 Shelly devices answer here`. */
export function answersHere({ devices, title }: FoundDialect): string {
  return `${counted(devices, `${title} device`)} ${devices === 1 ? 'answers' : 'answer'} here`;
}
