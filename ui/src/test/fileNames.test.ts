import { expect, it } from 'vitest';

// `Log.svelte` and `log.svelte.ts` would be the same module on a file system that ignores case.
it('gives no two modules paths that differ only in case', () => {
  const modules = Object.keys(import.meta.glob('../**/*.{svelte,ts}'));
  const paths = modules.map((path) => path.replace(/\.ts$/, '').toLowerCase());
  expect(paths.length).toBeGreaterThan(300);
  expect(paths.filter((path, index) => paths.indexOf(path) !== index)).toEqual([]);
});
