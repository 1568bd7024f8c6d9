import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

const SOURCE = join(import.meta.dirname, '..');
const sheets = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(css|svelte)$/.test(name))
  .map((name) => ({ name, text: readFileSync(join(SOURCE, name), 'utf8') }));

it('every animation ends after a few seconds', () => {
  const endless = sheets.filter(({ text }) => /animation[^;]*infinite/.test(text));
  expect(endless.map(({ name }) => name)).toEqual([]);
  const times = sheets.flatMap(({ text }) => text.match(/animation:[^;]*--t-wait\b[^;]*/g) ?? []);
  expect(times.length).toBeGreaterThan(0);
  for (const animation of times) expect(animation).toContain('--t-wait-times');
});

it('what waits for less than a second does not move, and the first screen never does', () => {
  const times = sheets.flatMap(({ text }) => text.match(/animation:[^;]*--t-wait\b[^;]*/g) ?? []);
  for (const animation of times) expect(animation).toContain('--t-wait-begin');
  const welcome = sheets.find(({ name }) => name.endsWith('welcome.css'))?.text ?? '';
  // The only thing on it that would move is the ladder of a command that waits.
  expect(welcome).toMatch(
    /\.choice-picture-ladder \.rung\[data-at='awaited'\] \.rung-bar::after \{\s*animation: none;/,
  );
  expect(welcome).not.toMatch(/animation: (?!none)|transition:/);
});

it('what moves is moved by the compositor', () => {
  const frames = sheets.flatMap(({ text }) => text.match(/@keyframes[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}/g) ?? []);
  const moved = frames.flatMap((text) => [...text.matchAll(/([a-z-]+):/g)].map(([, property]) => property));
  const changed = sheets.flatMap(({ text }) => [...text.matchAll(/transition: ([a-z-]+)/g)].map(([, name]) => name));
  expect(moved.length).toBeGreaterThan(0);
  for (const property of [...moved, ...changed]) expect(['transform', 'opacity']).toContain(property);
});

it('no scrollbar is one that fades', () => {
  const fading = sheets.filter(({ text }) => /^\s*scrollbar-(width|color):/m.test(text));
  expect(fading.map(({ name }) => name)).toEqual([]);
});
