import { expect, it } from 'vitest';

const sources = import.meta.glob<string>('../**/*.{svelte,ts}', { query: '?raw', import: 'default', eager: true });
const lines = Object.entries(sources)
  .filter(([path]) => !path.endsWith('.test.ts'))
  .flatMap(([, source]) => source.split('\n'));

it('draws the small clock only for what is late', () => {
  const clocks = lines.filter((line) => line.includes('s-late') && !line.includes('<symbol'));
  expect(clocks.length).toBeGreaterThan(2);
  // The word beside it is on the same line or, in StateWord, for screen readers.
  expect(clocks.filter((line) => !/\blate\b/i.test(line.replaceAll('s-late', '')))).toEqual([]);
});

it('draws every sign that it names', () => {
  const sprite = new Set(lines.flatMap((line) => [...line.matchAll(/<symbol id="([\w-]+)"/g)].map(([, id]) => id)));
  const named = lines.flatMap((line) => [...line.matchAll(/['"](s-[a-z-]+)['"]/g)].map(([, id]) => id));
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((id) => !sprite.has(id))).toEqual([]);
});
