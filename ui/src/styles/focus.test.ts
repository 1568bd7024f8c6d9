import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

const SOURCE = join(import.meta.dirname, '..');

/** The rules of every sheet and component. */
const rules = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(css|svelte)$/.test(name))
  .flatMap((name) => {
    const text = readFileSync(join(SOURCE, name), 'utf8');
    const sheet = name.endsWith('.css') ? text : (/<style>([^]*)<\/style>/.exec(text)?.[1] ?? '');
    const bare = sheet.replace(/\/\*[^]*?\*\//g, '');
    return [...bare.matchAll(/([^{}]+)\{([^{}]*)\}/g)].map(([, selector = '', body = '']) => ({
      name,
      selectors: selector.split(',').map((one) => one.trim()),
      body,
    }));
  });

/** It receives the focus from a script and not from the Tab key: a screen reader reads it. */
const NO_CONTROL = ['.wizard-title'];

/** Something else than the outline shows the focus. */
const SHOWS = /(outline|box-shadow|border(-color)?|background(-color)?):(?!\s*(0|none)\b)/;

it('nothing loses its ring without another sign of the focus', () => {
  const base = rules.find(({ selectors }) => selectors.includes(':focus-visible'));
  expect(base?.body).toMatch(/outline: 2px solid var\(--focus\)/);
  const without = rules.filter(({ body }) => /outline:\s*(0|none)\b/.test(body));
  expect(without.length).toBeGreaterThan(5);
  const silent = without.filter(({ name, selectors, body }) => {
    if (selectors.every((one) => NO_CONTROL.includes(one))) return false;
    // It is drawn with the ring for as long as it exists, or for as long as it has the focus.
    if (body.includes('var(--focus)')) return false;
    if (selectors.some((one) => one.includes(':focus')) && SHOWS.test(body)) return false;
    const last = ((selectors.at(-1) ?? '').split(/[\s>]+/).at(-1) ?? '').replace(/:focus.*/, '');
    const inField = /^\.field\b/.test(selectors[0] ?? '');
    const shown = rules.some(
      (rule) =>
        (rule.name === name || rule.name.startsWith('styles')) &&
        SHOWS.test(rule.body) &&
        rule.selectors.some(
          (one) =>
            (one.includes(last) && (one.includes(':focus') || rule.body.includes('var(--focus)'))) ||
            (inField && one === '.field:focus-within'),
        ),
    );
    return !shown;
  });
  expect(silent.map(({ name, selectors }) => `${name}: ${selectors.join(', ')}`)).toEqual([]);
});

it('errors do not hide the focus', () => {
  const wrong = rules.filter(
    ({ selectors, body }) =>
      body.includes('var(--failed)') && selectors.some((one) => /aria-invalid/.test(one) && !/:focus/.test(one)),
  );
  expect(wrong.length).toBeGreaterThan(2);
  for (const { name } of wrong) {
    const focused = rules.some(
      (rule) =>
        rule.name === name &&
        rule.selectors.some((one) => /aria-invalid='true'\](\)|):focus/.test(one)) &&
        /outline: 2px solid var\(--focus\)/.test(rule.body),
    );
    expect([name, focused]).toEqual([name, true]);
  }
});
