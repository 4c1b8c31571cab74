/**
 * `node test/run.mjs [--project NAME …] [--maxWorkers N] [file …]` runs the tests with vitest and prints the line that CI reads.
 *
 * Under CI, files that failed run once more, with new workers and new servers, if they are few. A test that fails on a busy
 * machine is a bug in the test all the same: the output names the files.
 */
import { relative } from 'node:path'
import { parseArgs } from 'node:util'
import { startVitest } from 'vitest/node'
import { countTests } from './support/count-tests.mjs'

const MAX_REPEATED = 5

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { project: { type: 'string', multiple: true }, maxWorkers: { type: 'string' } },
})

/** Runs the files whose paths contain one of `files`, or all files if the list is empty. */
async function run(files, reporters) {
  const vitest = await startVitest('test', files, { ...values, reporters, run: true, watch: false })
  const modules = vitest.state.getTestModules()
  const unhandled = vitest.state.getUnhandledErrors().length
  await vitest.close()
  return { modules, unhandled }
}

const first = await run(positionals, ['./test/support/opening-line.ts', 'default'])
const failed = new Set(first.modules.filter((module) => !module.ok()).map(({ moduleId }) => moduleId))
const isFew = failed.size > 0 && failed.size <= MAX_REPEATED && first.unhandled === 0
let { modules, unhandled } = first
if (process.env.CI === 'true' && isFew) {
  console.log(
    `\nThese files failed and run once more:\n${[...failed].map((file) => `  ${relative('.', file)}\n`).join('')}`,
  )
  process.exitCode = 0
  const second = await run([...failed], ['default'])
  modules = [...modules.filter(({ moduleId }) => !failed.has(moduleId)), ...second.modules]
  unhandled = second.unhandled
}
console.log(`\n${countTests(modules, unhandled)}`)
// vitest leaves handles behind, which would keep this process.
process.exit()
