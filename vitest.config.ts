import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', './test/support/closing-line.ts'],
    // A test that starts a server, ffmpeg or Chromium on a busy machine.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: {
      include: ['packages/*/dist/**/*.js', 'apps/server/dist/**/*.js'],
      reporter: ['text-summary', 'text'],
    },
  },
})
