import { expect, it } from 'vitest';

import { cleanPath } from './path';

it.each([
  ['  /home/you/kit.zip ', '/home/you/kit.zip'],
  ['"/home/you/my kit.zip"', '/home/you/my kit.zip'],
  ["'/home/you/kit.zip'", '/home/you/kit.zip'],
  ['file:///home/you/my%20kit.zip', '/home/you/my kit.zip'],
  ['file://localhost/home/you/kit.zip', '/home/you/kit.zip'],
  ['"file:///C:/kit/device.p12"', 'C:/kit/device.p12'],
  ['file:///home/you/100%', '/home/you/100%'],
  ['C:\\kit\\device.p12', 'C:\\kit\\device.p12'],
  ['"half', '"half'],
])('reads the path %j as %j', (pasted, path) => expect(cleanPath(pasted)).toBe(path));
