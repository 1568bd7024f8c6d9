import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  base: './',
  plugins: [svelte(), svelteTesting()],
  clearScreen: false,
  server: { host: '127.0.0.1', port: 5173, strictPort: true },
  // WebKitGTK of Debian 12.
  build: { target: 'safari16', cssTarget: 'safari16', assetsInlineLimit: 0 },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.ts'],
    // A window drawn and judged by axe takes seconds on a busy machine.
    testTimeout: 40_000,
    setupFiles: ['src/test/setup.ts'],
  },
});
