import { expect, it } from 'vitest';

import type { DeviceCheck } from '../backend/bindings/DeviceCheck';
import { briefCheck, checkTexts } from './check';

const check = (given: Partial<DeviceCheck>): DeviceCheck => ({
  device: '0x01',
  name: null,
  already: null,
  may_stay_silent: false,
  silent: null,
  refused: null,
  busy: null,
  ...given,
});

it('says of one device what it reports already, and that it will not confirm, as the command line does', () => {
  const lamp = check({ name: 'kitchen/\u001blamp', already: 'OFF', may_stay_silent: true });
  expect(checkTexts([lamp], 1)).toEqual([
    'kitchen/\\u001blamp already reports OFF. Many devices report nothing if nothing changes, so the command may end as unconfirmed or time out.',
  ]);
  expect(checkTexts([check({ already: 'ON' })], 1)).toEqual(['0x01 already reports ON.']);
  const bell = check({ name: 'Bell', silent: 'Its discovery has no state topic, so it cannot report back.' });
  expect(checkTexts([bell], 1)).toEqual([
    'Bell will not confirm it. Its discovery has no state topic, so it cannot report back.',
  ]);
  expect(checkTexts([check({ busy: 'Another console sent restart.' })], 1)).toEqual([]);
  expect([lamp, bell, check({})].map(briefCheck)).toEqual(['already OFF', 'will not confirm', '']);
});

it('counts several devices, and names the first', () => {
  const lit = Array.from({ length: 7 }, (_, n) => check({ device: `pump-${n}`, already: 'ON' }));
  expect(checkTexts([...lit, check({ name: 'Bell', silent: 'It has no state topic.' })], 12)).toEqual([
    '7 devices already report the requested state: pump-0, pump-1, pump-2, pump-3, pump-4 and 2 others.',
    '1 device will not confirm it: Bell.',
  ]);
});
