import type { Reporter, TestCase, TestModule } from 'vitest/node'

/** Prints the one line that CI reads: `N passed, N failed, N skipped`. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      // A file that could not be loaded has no tests and has failed all the same.
      if (module.state() === 'failed' && module.errors().length > 0) count.failed++
      for (const test of module.children.allTests()) count[stateOf(test)]++
    }
    const failed = count.failed + count.pending
    const skipped = count.skipped === 0 ? '' : `, ${count.skipped} skipped`
    console.log(`\n${count.passed} passed, ${failed} failed${skipped}`)
  }
}

/** vitest leaves the tests of a suite within a skipped suite pending. */
function stateOf(test: TestCase): 'passed' | 'failed' | 'skipped' | 'pending' {
  const { state } = test.result()
  if (state !== 'pending') return state
  for (let { parent } = test; parent.type === 'suite'; { parent } = parent) {
    if (parent.options.mode === 'skip') return 'skipped'
  }
  return state
}
