import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeFile } from './file.ts'
import { report } from './report.ts'
import { drawAllSamples, type Pace, runBench } from './rounds.ts'

const BAD_USAGE = 2
const INTERRUPTED = 130

const DEFAULT: Pace = { rounds: 5, cellMilliseconds: 1000, rampMilliseconds: 300, warmUpMilliseconds: 1200 }
const QUICK: Pace = { rounds: 3, cellMilliseconds: 300, rampMilliseconds: 150, warmUpMilliseconds: 300 }

const HELP = `Usage: npm run bench [-- --quick]

Asks koa-range-stream and other servers for random ranges of one 256 MiB file, checks every answer, and
prints a Markdown table of requests per second. Progress goes to standard error:
npm run -s bench > table.md

  --quick  3 short rounds instead of 5: under 30 s, and less steady
  --help   this text
`

async function main(args: readonly string[]): Promise<void> {
  const { help, quick } = readOptions(args)
  if (help) {
    process.stdout.write(HELP)
    return
  }
  const root = temporaryDirectory()
  const name = 'clip.mp4'
  console.error(`makes 256 MiB of random bytes in ${root}`)
  makeFile(join(root, name))
  const pace = quick ? QUICK : DEFAULT
  const measurements = await runBench({ root, name, samples: drawAllSamples(join(root, name)) }, pace)
  process.stdout.write(report(measurements, pace))
}

function readOptions(args: readonly string[]): { readonly help: boolean; readonly quick: boolean } {
  const options = {
    help: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  } as const
  return parseArgs({ args: [...args], options }).values
}

/** Removed however this process ends, short of SIGKILL. */
function temporaryDirectory(): string {
  const root = mkdtempSync(join(tmpdir(), 'koa-range-bench-'))
  process.once('exit', () => rmSync(root, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(INTERRUPTED))
  return root
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const misused =
    error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
  console.error(misused ? error.message : error)
  process.exitCode = misused ? BAD_USAGE : 1
})
