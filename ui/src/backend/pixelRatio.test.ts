import { expect, it } from 'vitest';

import { includeZoom } from './pixelRatio';

function page(userAgent: string) {
  let screen = 1;
  const page = { navigator: { userAgent } } as Parameters<typeof includeZoom>[1] & object;
  Object.defineProperty(page, 'devicePixelRatio', { configurable: true, get: () => screen });
  return { page, moveTo: (ratio: number) => (screen = ratio) };
}

it('contains the zoom where the web view leaves it out, on any screen', () => {
  const { page: webKit, moveTo } = page(
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15',
  );
  includeZoom(1.5, webKit);
  expect(webKit.devicePixelRatio).toBe(1.5);
  moveTo(2);
  expect(webKit.devicePixelRatio).toBe(3);
  includeZoom(1.1, webKit);
  expect(webKit.devicePixelRatio).toBeCloseTo(2.2);
  includeZoom(1, webKit);
  expect(webKit.devicePixelRatio).toBe(2);
});

it('is that of the web view where it contains the zoom already', () => {
  const { page: chromium } = page('Mozilla/5.0 AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0');
  includeZoom(1.5, chromium);
  expect(chromium.devicePixelRatio).toBe(1);
});
