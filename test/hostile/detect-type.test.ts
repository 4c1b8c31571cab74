import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, it, onTestFinished } from 'vitest'
import { SAMPLES } from './groups/samples.ts'

/** `FUZZ_RUNS=1000000 npx vitest run test/hostile/detect-type.test.ts` for the long run. */
const runs = Number(process.env['FUZZ_RUNS'] ?? 20_000)
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31)

/** How long one head may keep an upload, ms; a busy machine included. */
const PATIENCE = 5000

interface Found {
  readonly types: ReadonlySet<string | undefined>
  readonly faults: readonly string[]
  /** ms */
  readonly slowest: number
  readonly slowestHead: string
}

describe('the type of any first bytes', () => {
  it(`is detected without a throw and without a hang (${runs} runs, FUZZ_SEED=${seed})`, async () => {
    const current = new Int32Array(new SharedArrayBuffer(4))
    const worker = new Worker(new URL('./detect-type-fuzz.mjs', import.meta.url), {
      workerData: { runs, seed, current, samples: SAMPLES.map(([, content]) => content) },
    })
    onTestFinished(async () => void (await worker.terminate()))
    const { types, faults, slowest, slowestHead } = await finished(worker, current)
    console.log(
      `${types.size} types in ${runs} heads; the slowest took ${slowest.toFixed(1)} ms: ${slowestHead}`,
    )
    expect(faults).toEqual([])
    // Else the heads are so wild that nothing looks into them.
    expect(types.size).toBeGreaterThan(30)
    expect(slowest).toBeLessThan(PATIENCE)
  }, 3_600_000)
})

/** @throws Error where one head takes longer than PATIENCE and more */
async function finished(worker: Worker, current: Int32Array): Promise<Found> {
  let last = -1
  const watch = setInterval(() => {
    const run = Atomics.load(current, 0)
    if (run === last) worker.emit('error', new Error(`head ${run} of seed ${seed} keeps the detector`))
    last = run
  }, 2 * PATIENCE)
  try {
    const [found] = await once(worker, 'message')
    return found
  } finally {
    clearInterval(watch)
  }
}
