import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** `npm run conformance`: puts every server that is installed to the cases, and writes the table. */
export default defineConfig({
  test: {
    include: ['test/conformance/table.ts'],
    globalSetup: fileURLToPath(new URL('../support/run-directory.ts', import.meta.url)),
    testTimeout: 300_000,
    // The table goes to standard output as it is.
    disableConsoleIntercept: true,
  },
})
