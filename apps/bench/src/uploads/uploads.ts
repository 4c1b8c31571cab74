import { statfsSync } from 'node:fs'
import { temporaryDirectory } from '../temporary.ts'
import type { Workload } from './cell.ts'
import { reportUploads } from './report.ts'
import { measurePeaks, type Pace, runRounds } from './rounds.ts'
import { GIBIBYTE, MEBIBYTE } from './upload.ts'

const WARM_UP: Workload = {
  name: '16 MiB, 4 at once',
  size: 16 * MEBIBYTE,
  count: 16,
  parallel: 4,
  stay: false,
}

const DEFAULT: Pace = {
  rounds: 5,
  workloads: [
    { name: '1 GiB', size: GIBIBYTE, count: 1, parallel: 1, stay: false },
    { name: '1 MiB, 16 at once', size: MEBIBYTE, count: 256, parallel: 16, stay: true },
  ],
  warmUp: WARM_UP,
  crowd: { name: '50 × 200 MiB at once', size: 200 * MEBIBYTE, count: 50, parallel: 50, stay: false },
}
const QUICK: Pace = {
  rounds: 3,
  workloads: [
    { name: '256 MiB', size: 256 * MEBIBYTE, count: 1, parallel: 1, stay: false },
    { name: '1 MiB, 16 at once', size: MEBIBYTE, count: 128, parallel: 16, stay: true },
  ],
  warmUp: WARM_UP,
  crowd: { name: '50 × 20 MiB at once', size: 20 * MEBIBYTE, count: 50, parallel: 50, stay: false },
}

/** Measures uploads; resolves to the report. */
export async function benchUploads(quick: boolean): Promise<string> {
  if (process.platform !== 'linux')
    throw new Error('uploads needs Linux: it reads processor time and memory from /proc.')
  const pace = quick ? QUICK : DEFAULT
  const root = temporaryDirectory()
  checkSpace(root, pace)
  const measurements = await runRounds(root, pace)
  const peaks = await measurePeaks(root, pace)
  return reportUploads(measurements, peaks, pace, root)
}

function checkSpace(root: string, { crowd }: Pace): void {
  const { bavail, bsize } = statfsSync(root)
  // The crowd is the most that lies there at once; with less than a fifth to spare, disks get slow and stores refuse.
  const needed = crowd.count * crowd.size * 1.2
  if (bavail * bsize < needed) {
    const gibibytes = Math.ceil(needed / GIBIBYTE)
    throw new Error(`${root} has less than ${gibibytes} GiB free: set TMPDIR to a directory on another disk.`)
  }
}
