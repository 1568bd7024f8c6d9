/** The topics that a connection will use, for display only. */

import { visibleName } from './text';

export interface Topics {
  /** Without these Wilco cannot work. */
  needed: string[];
  /** These are used where the broker allows them. */
  welcome: string[];
  /** Where commands go. */
  sent: string[];
}

const WELCOME = ['status', 'state', 'telemetry', 'log', 'req'];

/** A topic below a connection's prefix, which may have been entered with or without its closing `/`. */
export function topicBelow(prefix: string, topic: string): string {
  return prefix === '' ? topic : `${prefix.replace(/\/$/, '')}/${topic}`;
}

/** `groups`: requests of other consoles to groups of devices are received too. */
export function topicsOf(prefix: string, devices: string[], groups: boolean): Topics {
  const heard = devices.length === 0 ? ['+'] : devices;
  const sent = devices.length === 0 ? ['device1'] : devices;
  const of = (names: string[], channel: string) => names.map((name) => topicBelow(prefix, `${name}/${channel}`));
  return {
    needed: of(heard, 'resp'),
    welcome: [
      ...WELCOME.flatMap((channel) => of(heard, channel)),
      ...(groups && devices.length === 0 ? [topicBelow(prefix, 'groups/+/req')] : []),
    ],
    sent: of(sent, 'req'),
  };
}

/** The devices of a list with one on each line, each once and exactly as it is written there. */
export function listed(text: string): string[] {
  return [...new Set(text.split(/\r?\n/).filter((line) => line.trim() !== ''))];
}

/** Why a text cannot name a device; nothing where it can. */
export function deviceError(name: string): string | null {
  const shown = `“${visibleName(name)}”`;
  if (/[+#/]/.test(name)) return `${shown} cannot be a device ID: a device ID is one topic level, without + # or /.`;
  if (name.startsWith('$'))
    return `${shown} cannot be a device ID: topic levels that begin with $ are reserved for the broker.`;
  return name === 'all' || name === 'groups' ? `${shown} is reserved for broadcasts.` : null;
}

/** Why an entered line is probably not the device that is meant: nobody sees a space at its end. */
export function spacedError(name: string): string | null {
  if (name.trim() === name) return null;
  return `“${visibleName(name)}” begins or ends with a space. Remove the space. If the device ID really contains it, use wilco connections edit with --only-device.`;
}

/** The first few of a list, and how many are left. */
export function firstOf(topics: string[], most = 4): { shown: string[]; left: number } {
  return topics.length <= most
    ? { shown: topics, left: 0 }
    : { shown: topics.slice(0, most - 1), left: topics.length - most + 1 };
}
