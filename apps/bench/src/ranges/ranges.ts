import { join } from 'node:path'
import { temporaryDirectory } from '../temporary.ts'
import { makeFile } from './file.ts'
import { report } from './report.ts'
import { drawAllSamples, type Pace, runBench } from './rounds.ts'

const DEFAULT: Pace = { rounds: 5, cellMilliseconds: 1000, rampMilliseconds: 300, warmUpMilliseconds: 1200 }
const QUICK: Pace = { rounds: 3, cellMilliseconds: 300, rampMilliseconds: 150, warmUpMilliseconds: 300 }

/** Measures random ranges of one file; resolves to the report. */
export async function benchRanges(quick: boolean): Promise<string> {
  const root = temporaryDirectory()
  const name = 'clip.mp4'
  console.error(`makes 256 MiB of random bytes in ${root}`)
  makeFile(join(root, name))
  const pace = quick ? QUICK : DEFAULT
  const measurements = await runBench({ root, name, samples: drawAllSamples(join(root, name)) }, pace)
  return report(measurements, pace)
}
