import { statfsSync } from 'node:fs'
import { loadavg } from 'node:os'
import { describeHost, formatRate, formatRatio, markdownTable, median } from '../table.ts'
import type { Cell, Workload } from './cell.ts'
import { CONTENDERS, type Contender } from './contenders.ts'
import type { Measurement, Pace, Peak } from './rounds.ts'
import { GIBIBYTE, MEBIBYTE } from './upload.ts'

/** With more of its core in use than this, the client may be what was measured. */
const SATURATED = 0.85

const EXPLANATION = `To its peer: the median of the rounds' ratios, and their range. Servers that answer only once the upload survives a
power cut are compared to "diskStorage, then fsync", the others to plain diskStorage. CPU: seconds of processor time that
the server's process takes for a GiB, which a noisy disk disturbs less than it does the rest.`

const CAUTION =
  'Only ratios within one run mean something: the rest are those of this host, its disk, its load and this client.'

/** The medians as Markdown tables, with what a reader has to know about the run. */
export function reportUploads(
  measurements: readonly Measurement[],
  peaks: readonly Peak[],
  { rounds, workloads }: Pace,
  root: string,
): string {
  const [, , busy = 0] = loadavg()
  const host = `${describeHost()}, load ${busy.toFixed(1)}; ${fileSystem(root)}; medians of ${rounds} rounds.`
  const load = clientLoad([...measurements, ...peaks].map(({ cell }) => cell))
  return `${speedTable(measurements, workloads)}\n\n${memoryTable(peaks)}\n\n${EXPLANATION}\n\n${host}\n${load}\n${CAUTION}\n`
}

function speedTable(measurements: readonly Measurement[], workloads: readonly Workload[]): string {
  const head = workloads.flatMap((workload) => [
    `${workload.name}, ${workload.count === 1 ? 'MB/s' : 'uploads/s'}`,
    'to its peer',
    'CPU',
  ])
  const rows = CONTENDERS.map((contender) => {
    const figures = workloads.flatMap((workload) => speedFigures(measurements, contender, workload))
    return [contender.name, ...figures]
  })
  return markdownTable(['server', ...head], rows)
}

function speedFigures(
  measurements: readonly Measurement[],
  contender: Contender,
  workload: Workload,
): readonly string[] {
  const secondsOf = (one: Contender) =>
    measurements
      .filter((each) => each.contender === one && each.workload === workload)
      .map(({ cell }) => cell)
  const own = secondsOf(contender)
  // In the order of the rounds, as `own` is.
  const peers = secondsOf(contender.peer)
  const ratios = own.map(({ seconds }, round) => (peers[round]?.seconds ?? Number.NaN) / seconds)
  const amount = workload.count === 1 ? workload.size / 1e6 : workload.count
  const rate = median(own.map(({ seconds }) => amount / seconds))
  const isPeer = contender === contender.peer
  return [formatRate(rate), isPeer ? '1' : formatSpread(ratios), processorPerGibibyte(own, workload)]
}

function memoryTable(peaks: readonly Peak[]): string {
  const [first] = peaks
  const head = [`${first?.workload.name}, into a new process`, 'peak memory, MiB', 'seconds', 'CPU']
  const rows = peaks.map(({ contender, workload, memory, cell }) => [
    contender.name,
    formatRate(memory / MEBIBYTE),
    formatRate(cell.seconds),
    processorPerGibibyte([cell], workload),
  ])
  return markdownTable(head, rows)
}

function processorPerGibibyte(cells: readonly Cell[], { size, count }: Workload): string {
  return median(cells.map(({ server }) => (server * GIBIBYTE) / (size * count))).toFixed(2)
}

function formatSpread(ratios: readonly number[]): string {
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map(formatRatio)
  return `${formatRatio(median(ratios))} (${least}–${most})`
}

function clientLoad(cells: readonly Cell[]): string {
  const most = Math.max(...cells.map(({ client, seconds }) => client / seconds))
  const verdict = most > SATURATED ? ': it may be what was measured there' : ''
  return `The client used at most ${Math.round(most * 100)} % of one core${verdict}.`
}

/** Linux's magic numbers of those that a temporary directory usually lies on. */
const FILE_SYSTEMS = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'XFS'],
  [0x9123683e, 'Btrfs'],
  [0x2fc12fc1, 'ZFS'],
  [0x794c7630, 'overlayfs'],
  [0x01021994, 'tmpfs, where durability costs nothing'],
])

function fileSystem(root: string): string {
  const { type } = statfsSync(root)
  return FILE_SYSTEMS.get(type) ?? `file system 0x${type.toString(16)}`
}
