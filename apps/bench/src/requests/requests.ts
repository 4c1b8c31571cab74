import { temporaryDirectory } from '../temporary.ts'
import { measureLists } from './lists.ts'
import { reportRequests } from './report.ts'
import { runRounds } from './rounds.ts'

interface Pace {
  readonly rounds: number
  /** Requests for each figure. */
  readonly count: number
  /** How many objects the lists have. */
  readonly objects: readonly number[]
}

const DEFAULT: Pace = { rounds: 5, count: 256, objects: [10_000, 100_000] }
const QUICK: Pace = { rounds: 3, count: 64, objects: [10_000] }

/** Measures uploads, appends and lists; resolves to the report. */
export async function benchRequests(quick: boolean): Promise<string> {
  if (process.platform !== 'linux')
    throw new Error('requests needs Linux: it reads processor time from /proc.')
  const pace = quick ? QUICK : DEFAULT
  const root = temporaryDirectory()
  const measurements = await runRounds(root, pace.rounds, pace.count)
  const lists = []
  for (const objects of pace.objects) lists.push(...(await measureLists(root, objects, pace.count * 4)))
  return reportRequests(measurements, lists, pace)
}
