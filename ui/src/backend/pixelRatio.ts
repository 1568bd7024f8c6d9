/**
 * How many pixels of the screen a pixel of the page is. WebKit leaves the zoom of the page out of `devicePixelRatio`, so what is
 * drawn on a canvas would be enlarged instead of drawn larger. Chromium, and with it Windows, takes it in.
 */

type Page = Pick<Window, 'devicePixelRatio'> & { navigator: Pick<Navigator, 'userAgent'> };

/** What the web view itself says, by page. */
const own = new WeakMap<object, () => number>();

/** From now on `devicePixelRatio` contains this zoom. To be called before the page is zoomed: it is laid out anew then. */
export function includeZoom(zoom: number, page: Page = window): void {
  if (page.navigator.userAgent.includes('Chrome/')) return;
  const ratio = own.get(page) ?? read(page);
  own.set(page, ratio);
  Object.defineProperty(page, 'devicePixelRatio', { configurable: true, get: () => ratio() * zoom });
}

function read(page: Page): () => number {
  const of = (object: object) => Object.getOwnPropertyDescriptor(object, 'devicePixelRatio');
  const get = (of(page) ?? of(Object.getPrototypeOf(page) as object))?.get;
  const fixed = page.devicePixelRatio;
  return () => (get === undefined ? fixed : (get.call(page) as number));
}
