/** The name of a group of devices. */

import type { GroupBy } from '../backend/bindings/GroupBy';
import type { GroupKey } from '../backend/bindings/GroupKey';
import { wordOf } from './states';
import { visible, visibleName } from './text';

export const GROUPINGS: { value: GroupBy; name: string }[] = [
  { value: 'tag', name: 'Tag' },
  { value: 'firmware', name: 'Firmware' },
  { value: 'state', name: 'State' },
  { value: 'presence', name: 'Presence' },
];

const PRESENCE = { online: 'Online', offline: 'Offline', unknown: 'Unknown' };

export function groupName(key: GroupKey): string {
  switch (key.by) {
    case 'tag':
      return key.tag === null ? 'No tag' : visibleName(key.tag);
    case 'firmware':
      return key.version === null ? 'Unknown firmware' : `Firmware ${visible(key.version)}`;
    case 'state':
      return key.state === 'pending' ? 'No command' : wordOf(key.state);
    case 'presence':
      return PRESENCE[key.presence];
  }
}
