import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expectationOf } from './expectation.ts'
import type { Fault } from './fault.ts'
import { copyGround, type Ground, layGround, withDirectory } from './ground.ts'
import { check } from './invariants.ts'
import { type Ended, runChild } from './process.ts'
import type { Scenario } from './scenario.ts'
import type { Failure, Tally } from './tally.ts'
import type { ImageNote, Mode } from './task.ts'
import { canFail, type Phase } from './watchers.ts'

/** One thing to do to one call of a scenario. */
type Point = Extract<Mode, { type: 'kill' | 'fail' }>

/** A point, and the step that makes its call. */
export type StepPoint = Point & { readonly step: string | null }

/** Which points to take; `index` counts all of a scenario's from 0. */
export type Choice<T> = (point: T, index: number) => boolean

/** What ends with a power cut. */
const OTHER_BOOT = '00000000-0000-4000-8000-000000000000'

/** The machine's cores are few, and its other users many. */
const AT_ONCE = 2

/** Kills a scenario's process before and after each of its calls, and half-way through what it writes. */
export function killEverywhere(scenario: Scenario, choice: Choice<StepPoint>): Promise<Tally> {
  return disturb(scenario, choice, (call, at) => {
    const phases: readonly Phase[] = /^write/.test(call) ? ['before', 'half', 'after'] : ['before', 'after']
    return phases.map((phase) => ({ type: 'kill', at, phase }))
  })
}

/** Lets each of a scenario's calls fail once in each way that it can. */
export function failEverywhere(scenario: Scenario, choice: Choice<StepPoint>): Promise<Tally> {
  const { fails = [] } = scenario
  return disturb(scenario, choice, (call, at) =>
    fails.filter((error) => canFail(call, error)).map((error) => ({ type: 'fail', at, error })),
  )
}

async function disturb(
  scenario: Scenario,
  choice: Choice<StepPoint>,
  pointsOf: (call: string, at: number) => readonly Point[],
): Promise<Tally> {
  return withDirectory(async (root) => {
    const ground = await layGround(scenario, join(root, 'ground'))
    const failures: Failure[] = []
    let points = 0
    const quiet = await runAt(scenario, ground, { type: 'count' }, join(root, 'count'))
    const calls = quiet.lines.flatMap((line) => (line.type === 'calls' ? line.calls : []))
    if (quiet.faults.length > 0) failures.push({ point: 'undisturbed', flags: '', faults: quiet.faults })
    const all = calls.flatMap(({ text, step }, index): StepPoint[] =>
      pointsOf(text, index + 1).map((point) => ({ ...point, step })),
    )
    const chosen = all.filter(choice)
    const steps: (string | null)[] = []
    await forEach(chosen, async ({ step, ...point }) => {
      const { faults, signal } = await runAt(scenario, ground, point, join(root, nameOf(point)))
      if (point.type === 'fail' || signal === 'SIGKILL') {
        points++
        steps.push(step)
      }
      const call = withStep(calls[point.at - 1]?.text ?? '', step)
      if (faults.length > 0) failures.push(failureAt(scenario, point, call, faults))
    })
    return { scenario: scenario.name, calls: calls.length, points, steps, failures }
  })
}

function withStep(call: string, step: string | null): string {
  return step === null ? call : `${step}: ${call}`
}

function nameOf(point: Point): string {
  return `${point.at} ${point.type === 'kill' ? point.phase : point.error}`
}

function failureAt({ name }: Scenario, point: Point, call: string, faults: readonly Fault[]): Failure {
  const flags = point.type === 'kill' ? `kills --phase ${point.phase}` : `failures --error ${point.error}`
  return {
    point: `${nameOf(point)} (${call})`,
    flags: `${flags} --scenario ${name} --at ${point.at}`,
    faults,
  }
}

/** Runs a scenario in a copy of its ground, and looks at what is left as a restart finds it. */
async function runAt(
  scenario: Scenario,
  ground: Ground,
  mode: Mode,
  target: string,
): Promise<Ended & { readonly faults: readonly Fault[] }> {
  await copyGround(ground, target)
  const directory = join(target, 'data')
  const ended = await runChild({ scenario: scenario.name, directory, lines: ground.lines, mode })
  const faults = [
    ...faultsOf(ended),
    ...(await check(directory, expectationOf([...ground.lines, ...ended.lines]))),
  ]
  rmSync(target, { recursive: true })
  return { ...ended, faults }
}

/** What the child itself complains of, and an end that nobody planned. */
function faultsOf({ lines, code, signal, stderr }: Ended): Fault[] {
  const told = lines.flatMap((line) => (line.type === 'fault' ? [line.text] : []))
  if (code !== 0 && signal !== 'SIGKILL') told.push(`the process ended with ${code ?? signal}: ${stderr}`)
  return told.map((text) => ({ kind: 'other', text }))
}

/** Cuts the power after each of a scenario's calls and acknowledgements, and starts from what was durable. */
export async function cutEverywhere(scenario: Scenario, choice: Choice<ImageNote>): Promise<Tally> {
  return withDirectory(async (root) => {
    const ground = await layGround(scenario, join(root, 'ground'), OTHER_BOOT)
    const images = join(root, 'images')
    await mkdir(images)
    const { lines, faults } = await recordAt(scenario, ground, images, join(root, 'run'))
    const failures: Failure[] = faults.length > 0 ? [{ point: 'undisturbed', flags: '', faults }] : []
    const chosen = notesIn(images).filter(({ note }, index) => choice(note, index))
    await forEach(chosen, async ({ note, image }) => {
      const found = await check(join(image, 'data'), expectationOf(lines.slice(0, note.lines)))
      if (found.length > 0) failures.push(failureOf(scenario, note, found))
    })
    return {
      scenario: scenario.name,
      calls: notesIn(images).at(-1)?.note.at ?? 0,
      points: chosen.length,
      steps: chosen.map(({ note }) => note.step),
      failures,
    }
  })
}

function failureOf(
  { name }: Scenario,
  { at, call, step, view }: ImageNote,
  faults: readonly Fault[],
): Failure {
  return {
    point: `power cut after ${at} (${withStep(call, step)}), on the disk: ${view}`,
    flags: `power-cuts --scenario ${name} --at ${at}`,
    faults,
  }
}

async function recordAt(scenario: Scenario, ground: Ground, images: string, target: string) {
  await copyGround(ground, target)
  const directory = join(target, 'data')
  const mode = { type: 'cut', images } as const
  const ended = await runChild({
    scenario: scenario.name,
    directory,
    lines: ground.lines,
    mode,
    boot: OTHER_BOOT,
  })
  return { lines: [...ground.lines, ...ended.lines], faults: faultsOf(ended) }
}

function notesIn(images: string): { readonly image: string; readonly note: ImageNote }[] {
  const numbers = readdirSync(images)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
  return numbers
    .sort((a, b) => a - b)
    .map((number) => join(images, String(number)))
    .map((image) => ({ image, note: JSON.parse(readFileSync(`${image}.json`, 'utf8')) as ImageNote }))
}

async function forEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values()
  const worker = async () => {
    for (const item of rest) await work(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}
