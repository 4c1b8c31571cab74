/** @typedef {import('vitest/node').TestModule} TestModule */

/**
 * Returns the one line that CI reads: `N passed, N failed, N skipped`.
 *
 * @param {readonly TestModule[]} modules
 * @param {number} unhandled how many errors belong to no test; each counts as a failure
 */
export function countTests(modules, unhandled) {
  const count = { passed: 0, failed: unhandled, skipped: 0 }
  for (const module of modules) {
    // A file that could not be loaded has no tests and has failed all the same.
    if (module.state() === 'failed' && module.errors().length > 0) count.failed++
    for (const test of module.children.allTests()) count[stateOf(test)]++
  }
  const { passed, failed, skipped } = count
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`
}

/** vitest leaves the tests of a suite within a skipped suite pending. */
function stateOf(test) {
  const { state } = test.result()
  if (state !== 'pending') return state
  for (let { parent } = test; parent.type === 'suite'; { parent } = parent) {
    if (parent.options.mode === 'skip') return 'skipped'
  }
  return 'failed'
}
