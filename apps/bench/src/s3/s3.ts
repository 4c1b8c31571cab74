import { S3Client } from '@aws-sdk/client-s3'
import { Cluster } from '../../../../test/s3/cluster.mjs'
import { machineLoad } from '../machine-load.ts'
import { progress } from '../progress.ts'
import { describeHost, formatRate, formatRatio, markdownTable, median } from '../table.ts'
import { measureRanges, presigned, type RangeSource, served } from './ranges.ts'
import { startNode } from './server.ts'
import { measureUpload, WAYS, type Way } from './uploads.ts'

const KIBIBYTE = 1024
const MEBIBYTE = 1024 ** 2
const CLIENTS = 16

interface Pace {
  readonly rounds: number
  /** Of the object that is uploaded, and of which ranges are read, in bytes. */
  readonly size: number
  /** Of one visit to read ranges, in ms. */
  readonly reading: number
}

const FULL: Pace = { rounds: 3, size: 1024 * MEBIBYTE, reading: 8000 }
const QUICK: Pace = { rounds: 3, size: 128 * MEBIBYTE, reading: 1500 }

/** Figures of one kind, one a round, of us and of what we are compared to. */
interface Pair {
  readonly name: string
  readonly unit: string
  readonly ours: number[]
  readonly peer: number[]
}

/** Measures reads and writes on Ceph, in memory on this machine: through us, and without us. */
export async function benchS3(quick: boolean): Promise<string> {
  const pace = quick ? QUICK : FULL
  const busy = await machineLoad(1000)
  const cluster = await Cluster.make()
  try {
    progress('starts Ceph')
    await cluster.start()
    const writes = await compareUploads(cluster, pace)
    const reads = await compareRanges(cluster, pace)
    return report([...reads, writes], pace, busy)
  } finally {
    await cluster.stop()
  }
}

async function compareUploads({ connection }: Cluster, { rounds, size }: Pace): Promise<Pair> {
  const pair: Pair = { name: `upload of ${size / MEBIBYTE} MiB`, unit: 'MB/s', ours: [], peer: [] }
  const upload = async (way: Way, bytes: number, key: string) =>
    bytes / 1e6 / (await measureUpload(way, connection, bytes, key))
  for (const way of WAYS) await upload(way, 32 * MEBIBYTE, `warm-up-${way}`)
  for (let round = 0; round < rounds; round++) {
    for (const way of inTurn(WAYS, round)) {
      const figure = await upload(way, size, `${way}-${round}`)
      pair[way].push(figure)
      progress(`round ${round + 1} of ${rounds}: ${pair.name}, ${way}: ${formatRate(figure)} MB/s`)
    }
  }
  return pair
}

async function compareRanges({ connection }: Cluster, { rounds, size, reading }: Pace): Promise<Pair[]> {
  const { endpoint, credentials, bucket } = connection
  const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true })
  const node = await startNode(connection)
  // Both read what the store has written.
  const sources = { ours: served(node.url, 'ours-0'), peer: await presigned(client, bucket, size) }
  const pairs: Pair[] = []
  try {
    for (const length of [64 * KIBIBYTE, MEBIBYTE]) {
      const pair: Pair = {
        name: `ranges of ${length / KIBIBYTE} KiB`,
        unit: 'requests/s',
        ours: [],
        peer: [],
      }
      pairs.push(pair)
      const visit = (source: RangeSource, time: number) =>
        measureRanges(source, { size, length, clients: CLIENTS, time })
      // Warms up: before Node has compiled the code, a range of 1 MiB costs twice its later processor time.
      await visit(sources.ours, reading * 4)
      for (let round = 0; round < rounds; round++) {
        for (const way of inTurn(WAYS, round)) {
          const figure = await visit(sources[way], reading)
          pair[way].push(figure)
          progress(`round ${round + 1} of ${rounds}: ${pair.name}, ${way}: ${formatRate(figure)} requests/s`)
        }
      }
    }
  } finally {
    client.destroy()
    await node.stop()
  }
  return pairs
}

/** So that none is always the first. */
function inTurn<T>(all: readonly T[], round: number): readonly T[] {
  return round % 2 === 0 ? all : all.toReversed()
}

function report(pairs: readonly Pair[], { rounds }: Pace, busy: number): string {
  const rows = pairs.map(({ name, unit, ours, peer }) => {
    const ratios = ours.map((figure, round) => figure / (peer[round] ?? Number.NaN))
    const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map(formatRatio)
    const ratio = `${formatRatio(median(ratios))} (${least}–${most})`
    return [`${name}, ${unit}`, formatRate(median(ours)), formatRate(median(peer)), ratio]
  })
  const table = markdownTable(['on Ceph, in memory on this machine', 'ours', 'without us', 'ratio'], rows)
  return `${table}

Ranges: ${CLIENTS} clients read random ones through koa-range-server, or from Ceph itself by a signed URL and Node's keep-alive
client. Upload: createS3Store's \`put\`, which hashes, or \`Upload\` of @aws-sdk/lib-storage, which does not; parts of 8 MiB, 4 on their
way and 1 being filled. Medians of ${rounds} rounds, in turn; the ratio is the median of the rounds', and their range.

${describeHost()}; before it began ${Math.round(busy * 100)} % of the processors were in use. Clients, servers and Ceph share them.
`
}
