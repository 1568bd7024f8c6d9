import { expect, it } from 'vitest';

import names from './names.json';
import { ending, visible, visibleName } from './text';

it('shows names that differ as different, and as the command line does', () => {
  // Of four digits the page writes an escape without braces.
  const here = (shown: string) =>
    shown.replace(/(?<!\\)\\u\{([\da-f]{1,4})\}/g, (_, code: string) => `\\u${code.padStart(4, '0')}`);
  expect(names.length).toBeGreaterThan(40);
  for (const [given = '', shown = ''] of names) expect(visibleName(given), JSON.stringify(given)).toBe(here(shown));
});

it('shows a long name as it shows a short one', () => {
  expect(visibleName('か\u3099'.repeat(20_000))).toBe('か\\u3099'.repeat(20_000));
});

it('distinguishes two starts of a device', () => {
  expect(ending('b7e1', 8)).toBe('b7e1');
  expect(ending('12345678', 8)).toBe('12345678');
  expect(ending('0b51c2d3-9f00-4e2a-8c11-5d2f77ab01c9', 8)).toBe('…7ab01c9');
});

it('makes of other text only visible what is not seen', () => {
  const check = (text: string, expected: string) => expect(visible(text)).toBe(expected);
  check('two\nlines', 'two\\nlines');
  check('a\u200b\u3164\u{e0041}', 'a\\u200b\\u3164\\u{e0041}');
  check('\ud83d and \udcdf', '\\ud83d and \\udcdf');
  check('\u2764\ufe0f 📟 cafe\u0301 \\ ␣', '\u2764\ufe0f 📟 cafe\u0301 \\ ␣');
});
