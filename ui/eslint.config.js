import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

import svelteConfig from './svelte.config.js';

const shell = {
  group: ['@tauri-apps/*'],
  message: 'Only src/backend/tauri.ts speaks to the shell, so that every screen also runs in a plain browser.',
};

const whole = {
  group: ['**/app'],
  message: 'Ask for the pieces of the state that are used, each by its own context. Only the root knows all of it.',
};

/** What a room may not import. */
const closed = (...groups) => ({
  'no-restricted-imports': 'off',
  '@typescript-eslint/no-restricted-imports': ['error', { patterns: [shell, ...groups] }],
});

export default ts.config(
  { ignores: ['dist/', 'src/backend/bindings/'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser } },
    rules: { 'no-undef': 'off', eqeqeq: 'error', ...closed() },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
    rules: {
      'svelte/no-at-html-tags': 'error',
      // Maps and sets stand in `$state.raw` and are replaced whole: deep reactivity is too dear for 100,000 rows.
      'svelte/prefer-svelte-reactivity': 'off',
    },
  },
  {
    files: ['src/backend/tauri.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': 'off' },
  },
  {
    files: ['src/features/**', 'src/components/**'],
    ignores: ['**/*.test.ts'],
    rules: closed(whole, {
      group: ['**/backend/*', '!**/backend/bindings'],
      message: 'A screen asks the state; the state asks the backend. Wire types come from backend/bindings.',
    }),
  },
  {
    files: ['src/state/**'],
    ignores: ['**/*.test.ts'],
    rules: closed(whole, { group: ['**/features/**', '**/components/**'], message: 'The state knows no screen.' }),
  },
  {
    files: ['src/format/**', 'src/backend/**'],
    ignores: ['**/*.test.ts', 'src/backend/tauri.ts'],
    rules: closed({
      group: ['**/features/**', '**/components/**', '**/state/**'],
      message: 'Knows no screen and no state.',
    }),
  },
);
