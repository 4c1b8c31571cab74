import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { fillDisk } from './src/full-disk.ts'
import { uploadInParallel } from './src/parallel.ts'
import { resumeThroughBreaks } from './src/resume.ts'
import { type Choice, cutEverywhere, failEverywhere, killEverywhere } from './src/runner.ts'
import { scenarioOf, UNSYNCED } from './src/scenarios.ts'
import { withTmpfs } from './src/tmpfs.ts'

// A few of the points that `npm run faults` takes all of.

/** Every `stride`-th point, from another one on in each scenario. */
function every(stride: number, scenario: number): Choice<unknown> {
  return (_, index) => index % stride === scenario % stride
}

// What is open is found in /proc.
const describeOnLinux = describe.skipIf(process.platform !== 'linux')

/** Of a hundred calls and more. */
const LONG = ['sweep', 'verify']

const KILLED = [
  ...[
    'first-put',
    'put',
    'replace',
    'dedupe',
    'dedupe-damaged',
    'delete',
    'pause',
    'resume-commit',
    'seal-abort',
  ],
  ...['commit-again', 'sweep', 'verify'],
].map(scenarioOf)

describeOnLinux('the store after its process was killed', () => {
  it.each(KILLED.map((scenario, index) => [scenario.name, scenario, index] as const))(
    'has everything of %s that was acknowledged, and nothing else',
    async (name, scenario, index) => {
      const { points, failures } = await killEverywhere(scenario, every(LONG.includes(name) ? 67 : 19, index))
      expect(failures).toEqual([])
      expect(points).toBeGreaterThan(0)
    },
  )
})

describeOnLinux('the store after a power cut', () => {
  it.each(['put', 'replace'])('has everything of %s that was acknowledged, at every step', async (name) => {
    const { points, failures } = await cutEverywhere(scenarioOf(name), () => true)
    expect(failures).toEqual([])
    expect(points).toBeGreaterThan(20)
  })

  it('may have lost an upload when syncing was disabled', async () => {
    const { failures } = await cutEverywhere(UNSYNCED, () => true)
    expect(failures.flatMap(({ faults }) => faults.map(({ kind }) => kind))).toContain('lost')
  })
})

describeOnLinux('the store after a call of its failed', () => {
  it.each(['put', 'replace', 'commit-again', 'delete'])('does %s again in the same process', async (name) => {
    const { points, failures } = await failEverywhere(scenarioOf(name), every(17, 2))
    expect(failures).toEqual([])
    expect(points).toBeGreaterThan(0)
  })
})

describeOnLinux('a server on a disk that is full', () => {
  it('refuses with 507, keeps the stored bytes, and accepts uploads again after deletes', async ({
    skip,
  }) => {
    const result = await withTmpfs('size=64m', fillDisk)
    if ('skipped' in result) {
      console.warn(`Skipped the full disk: ${result.skipped}.`)
      return skip(result.skipped)
    }
    expect(result.faults).toEqual([])
    expect(result.stored).toBeGreaterThan(10)
    expect(Math.min(...Object.values(result.refused))).toBeGreaterThan(0)
  })
})

describe('a resumable upload', () => {
  it('comes in whole though its server is killed and its connection dropped, and its answer lost', async () => {
    const seed = randomUUID()
    const plan = { size: 48 * 1024 ** 2, kills: 3, drops: 3, seed }
    const { faults } = await resumeThroughBreaks(plan)
    expect(faults, `with the seed ${seed}`).toEqual([])
  })
  it('in four parts at once arrives whole although its server is killed, connections drop, and the final response is lost', async () => {
    const seed = randomUUID()
    const { faults } = await uploadInParallel({ size: 48 * 1024 ** 2, kills: 3, drops: 3, seed })
    expect(faults, `with the seed ${seed}`).toEqual([])
  })
})
