import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { describeFullDisk, fillDisk } from './full-disk.ts'
import { describeParallel, uploadInParallel } from './parallel.ts'
import { describeResumed, type ResumePlan, resumeThroughBreaks } from './resume.ts'
import { type Choice, cutEverywhere, failEverywhere, killEverywhere, type StepPoint } from './runner.ts'
import { describeS3, disturbS3 } from './s3.ts'
import type { Scenario } from './scenario.ts'
import { SCENARIOS, scenarioOf } from './scenarios.ts'
import { countSteps, describeFailure, type Tally, table } from './tally.ts'
import type { ImageNote } from './task.ts'
import { withTmpfs } from './tmpfs.ts'

const BAD_USAGE = 2
const INTERRUPTED = 130

const HELP = `Usage: npm run faults [-- part ... [flags]]

Disturbs the store and the server, starts them again, and looks for uploads that are lost, torn, left over or other
than their digest. Exits with 1 where there are any. All parts take a quarter of an hour or more.

  kills         kills the process before and after each file-system call of the store, and within each write
  power-cuts    starts from what was durable after each of them
  failures      lets each of them fail
  full-disk     uploads to a server until its disk is full
  resume        uploads to a server that is killed 20 times, over a connection that is dropped 20 times
  parallel      the same with tus-js-client, in 4 parts at once
  s3            kills and freezes the gateway of a store on Ceph, and kills a server, amid uploads (only when named)

  --scenario S  one or more, with commas, of ${SCENARIOS.map(({ name }) => name).join(', ')}
  --at N        only the N-th call; or the name of a step of a commit or a sweep, such as 'rename record'
  --phase P     of kills: before, half (of a write) or after (all)
  --error E     of failures: EIO, ENOSPC or EMFILE (all)
  --size N      of resume and parallel: MiB to upload (1024)
  --seed S      of resume and parallel: what content and breaks are made from; a run tells its own (at random)
  --runs N      of s3: how often something is broken (200)
  --help        this text
`

const OPTIONS = {
  scenario: { type: 'string' },
  at: { type: 'string' },
  phase: { type: 'string' },
  error: { type: 'string' },
  size: { type: 'string', default: '1024' },
  seed: { type: 'string' },
  runs: { type: 'string', default: '200' },
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
  resume,
  parallel,
  s3,
}

/** Takes a quarter of an hour, and needs Ceph. */
const ONLY_WHEN_NAMED = ['s3']

function isWanted(flag: string | undefined, value: string | number): boolean {
  return flag === undefined || flag === String(value)
}

function isAt(flag: string | undefined, { at, step }: Pick<ImageNote, 'at' | 'step'>): boolean {
  return isWanted(flag, at) || flag === step
}

function points({ at, phase, error }: Flags): Choice<StepPoint> {
  return (point) =>
    isAt(at, point) && (point.type === 'kill' ? isWanted(phase, point.phase) : isWanted(error, point.error))
}

function images({ at }: Flags): Choice<ImageNote> {
  return (note) => isAt(at, note)
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
  if (tallies.length === 0 && flags.at !== undefined)
    throw new RangeError(
      `--at ${flags.at}: no such call or step in the scenarios. Leave --at out to see the steps.`,
    )
  console.log(`\n${table(title, what, tallies)}\n${countSteps(tallies)}`)
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

async function resume(flags: Flags): Promise<boolean> {
  if (flags.scenario !== undefined) return true
  const result = await resumeThroughBreaks(planOf(flags))
  console.log(`${describeResumed(result)}\n`)
  return result.faults.length === 0
}

async function parallel(flags: Flags): Promise<boolean> {
  if (flags.scenario !== undefined) return true
  const result = await uploadInParallel(planOf(flags))
  console.log(`${describeParallel(result)}\n`)
  return result.faults.length === 0
}

function planOf({ size, seed = randomBytes(4).toString('hex') }: Flags): ResumePlan {
  const onProgress = (text: string) => console.error(text)
  return { size: Number(size) * 1024 ** 2, kills: 20, drops: 20, seed, onProgress }
}

async function s3({ runs }: Flags): Promise<boolean> {
  const result = await disturbS3(Number(runs), (text) => console.error(text))
  console.log(`${describeS3(result)}\n`)
  return result.faults.length === 0
}

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  if (values.help === true) {
    process.stdout.write(HELP)
    process.exitCode = 0
    return
  }
  const unknown = positionals.find((name) => !Object.hasOwn(PARTS, name))
  if (unknown !== undefined) throw new RangeError(`${unknown} is none of ${Object.keys(PARTS)}`)
  if (!/^[1-9]\d{0,4}$/.test(values.runs))
    throw new RangeError(`--runs ${values.runs} is no number from 1 up`)
  if (!/^[1-9]\d{0,6}$/.test(values.size))
    throw new RangeError(`--size ${values.size} is no number of MiB, from 1 up`)
  const chosen = Object.entries(PARTS).filter(
    ([name]) => positionals.includes(name) || (positionals.length === 0 && !ONLY_WHEN_NAMED.includes(name)),
  )
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
