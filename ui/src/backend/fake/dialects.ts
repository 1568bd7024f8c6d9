/** Dialects, and devices with a dialect other than Wilco's own. */

import type { DescribedDevice } from '../bindings/DescribedDevice';
import type { DialectView } from '../bindings/DialectView';
import type { FakeDevice } from './fleet';
import { toJson } from '../../format/json';
import recorded from './recorded.json';

export const DIALECTS: DialectView[] = recorded.dialects;

/** The schema of a command that needs all of these. */
const takes = (properties: Record<string, unknown>) =>
  toJson({ type: 'object', properties, required: Object.keys(properties) });

const lamp: DescribedDevice = {
  dialect: 'Zigbee2MQTT',
  address: 'kitchen/lamp',
  vendor: 'Philips',
  hub: 'bridge',
  can_switch: true,
  can_restart: false,
  commands: [
    {
      name: 'set state',
      title: 'State',
      schema: takes({ on: { type: 'boolean', title: 'On' } }),
      value: 'ON',
      reports_back: true,
      refused: null,
      is_setting: false,
    },
    {
      name: 'set brightness',
      title: 'Brightness',
      schema: takes({ value: { type: 'number', title: 'Value', minimum: 0, maximum: 254, multipleOf: 1 } }),
      value: '120',
      reports_back: true,
      refused: null,
      is_setting: false,
    },
    {
      name: 'set color',
      title: 'Colour',
      schema: takes({
        value: {
          type: 'object',
          title: 'Colour',
          description: 'CIE 1931 x and y, each from 0 to 1: 0.543,0.407',
          format: 'color',
          notation: 'xy object',
          properties: {
            x: { type: 'number', minimum: 0, maximum: 1 },
            y: { type: 'number', minimum: 0, maximum: 1 },
          },
          required: ['x', 'y'],
        },
      }),
      value: null,
      reports_back: true,
      refused: null,
      is_setting: false,
    },
    {
      name: 'set color_mode',
      title: 'Colour mode',
      schema: takes({ value: { type: 'string', title: 'Value', enum: ['hs', 'xy', 'color_temp'] } }),
      value: 'xy',
      reports_back: true,
      refused: null,
      is_setting: false,
    },
    {
      name: 'set power_on_behavior',
      title: 'Power-on behaviour',
      schema: takes({ value: { type: 'string', title: 'Value', enum: ['off', 'on', 'previous'] } }),
      value: 'previous',
      reports_back: true,
      refused: null,
      is_setting: true,
    },
    {
      name: 'set identify',
      title: 'Identify',
      schema: takes({}),
      value: null,
      reports_back: false,
      refused: null,
      is_setting: false,
    },
  ],
  password: null,
  values: [
    { title: 'Link quality', value: '120', unit: 'lqi' },
    { title: 'State', value: 'ON', unit: null },
  ],
};

/** Makes one of the fleet a lamp behind a Zigbee2MQTT bridge. */
export function describeLamp(device: FakeDevice, wantsPassword = false): void {
  device.row = {
    ...device.row,
    name: 'kitchen/lamp',
    model: 'LWA001',
    dialect: 'Zigbee2MQTT',
    led: true,
    firmware: '1.108',
  };
  device.described = { ...lamp, password: wantsPassword ? 'not_set' : null };
  device.running = null;
  device.saved = null;
}

/** Sets or removes the password of a device, or of all other devices of the connection. */
export function setPassword(devices: FakeDevice[], device: string | null, isSet: boolean): void {
  for (const one of devices) {
    const before = one.described?.password ?? null;
    if (!one.described || before === null) continue;
    if (device === null ? before === 'of_device' : one.row.device !== device) continue;
    const password = isSet ? (device === null ? 'of_connection' : 'of_device') : 'not_set';
    one.described = { ...one.described, password };
  }
}
