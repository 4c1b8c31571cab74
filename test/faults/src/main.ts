import { parseArgs } from 'node:util'
import { describeFullDisk, fillDisk } from './full-disk.ts'
import { type Choice, cutEverywhere, failEverywhere, killEverywhere, type Point } from './runner.ts'
import type { Scenario } from './scenario.ts'
import { SCENARIOS, scenarioOf } from './scenarios.ts'
import { describeFailure, type Tally, table } from './tally.ts'
import type { ImageNote } from './task.ts'
import { withTmpfs } from './tmpfs.ts'

const BAD_USAGE = 2
const INTERRUPTED = 130

const HELP = `Usage: npm run faults [-- flags]

Disturbs the store at every file-system call that it makes, starts it again, and looks for uploads that are
lost, torn, left over or other than their digest. Exits with 1 where there are any. Takes some minutes.

  --part P      kills, power-cuts, failures or full-disk (all)
  --scenario S  one or more, with commas, of ${SCENARIOS.map(({ name }) => name).join(', ')}
  --at N        only the N-th call
  --phase P     of kills: before, half (of a write) or after (all)
  --error E     of failures: EIO, ENOSPC or EMFILE (all)
  --help        this text
`

const OPTIONS = {
  part: { type: 'string' },
  scenario: { type: 'string' },
  at: { type: 'string' },
  phase: { type: 'string' },
  error: { type: 'string' },
  help: { type: 'boolean' },
} as const

type Flags = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values']

/** Each resolves to whether nothing was found. */
const PARTS: Readonly<Record<string, (flags: Flags) => Promise<boolean>>> = {
  kills: (flags) =>
    disturb(flags, 'Killed at every step', 'kills', (one) => killEverywhere(one, points(flags))),
  'power-cuts': (flags) =>
    disturb(flags, 'Power cut at every step', 'images', (one) => cutEverywhere(one, images(flags))),
  failures: (flags) =>
    disturb(flags, 'Every call failing once', 'failures', (one) => failEverywhere(one, points(flags))),
  'full-disk': fillBoth,
}

function isWanted(flag: string | undefined, value: string | number): boolean {
  return flag === undefined || flag === String(value)
}

function points({ at, phase, error }: Flags): Choice<Point> {
  return (point) =>
    isWanted(at, point.at) &&
    (point.type === 'kill' ? isWanted(phase, point.phase) : isWanted(error, point.error))
}

function images({ at }: Flags): Choice<ImageNote> {
  return (note) => isWanted(at, note.at)
}

async function disturb(
  flags: Flags,
  title: string,
  what: string,
  work: (scenario: Scenario) => Promise<Tally>,
): Promise<boolean> {
  const tallies: Tally[] = []
  for (const scenario of flags.scenario?.split(',').map(scenarioOf) ?? SCENARIOS) {
    const start = Date.now()
    const tally = await work(scenario)
    if (tally.points === 0) continue
    tallies.push(tally)
    for (const failure of tally.failures) console.log(describeFailure(scenario.name, failure))
    const counts = `${tally.calls} calls, ${tally.points} ${what}, ${tally.failures.length} of them bad`
    console.error(`${scenario.name}: ${counts}, ${((Date.now() - start) / 1000).toFixed(1)} s`)
  }
  console.log(`\n${table(title, what, tallies)}`)
  return tallies.every(({ failures }) => failures.length === 0)
}

/** Full of bytes, and full of files. */
async function fillBoth({ scenario }: Flags): Promise<boolean> {
  if (scenario !== undefined) return true
  const disks: readonly [string, readonly number[]][] = [
    ['size=64m', [900 * 1024, 64 * 1024]],
    ['size=64m,nr_inodes=200', [1000]],
  ]
  let isGood = true
  for (const [options, sizes] of disks) {
    const result = await withTmpfs(options, (directory) => fillDisk(directory, sizes))
    const text = 'skipped' in result ? `skipped: ${result.skipped}` : describeFullDisk(result)
    console.log(`A server on a tmpfs of ${options}: ${text}\n`)
    if ('faults' in result && result.faults.length > 0) isGood = false
  }
  return isGood
}

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS })
  if (values.help === true) return void process.stdout.write(HELP)
  const chosen = Object.entries(PARTS).filter(([name]) => isWanted(values.part, name))
  if (chosen.length === 0) throw new RangeError(`--part ${values.part} is none of ${Object.keys(PARTS)}`)
  let isGood = true
  for (const [, part] of chosen) isGood = (await part(values)) && isGood
  if (isGood) process.exitCode = 0
}

// So that directories are removed and file systems unmounted.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(INTERRUPTED))
// Until all has been done: a promise that nobody settles ends a process of Node's as if all were well.
process.exitCode = 1
main(process.argv.slice(2)).catch((error: unknown) => {
  const misused =
    error instanceof RangeError ||
    (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
  console.error(misused ? error.message : error)
  process.exitCode = misused ? BAD_USAGE : 1
})
