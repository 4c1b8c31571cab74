import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { createS3Store } from 'upload-store/s3'
import { Cluster, type ClusterConnection } from '../../s3/cluster.mjs'
import { bucketNames } from './s3-bucket.ts'
import { type Happened, S3Round } from './s3-round.ts'
import { type RunningServer, startServer } from './server.ts'

/** In ms: longer than reads have (5 s), and shorter than the steps of an upload have (45 s). */
const FROZEN_FOR = 10_000
/** Within this time, in ms, whatever a round begins is well under way. */
const UNDER_WAY = 1500

const PREFIX = 'faults/'

/** What is broken, and healed again. */
const S3_BREAKS = ['gateway killed', 'gateway frozen', 'server killed'] as const
type S3Break = (typeof S3_BREAKS)[number]

export interface S3Disturbed {
  readonly rounds: ReadonlyMap<S3Break, readonly Happened[]>
  /** In ms. */
  readonly time: number
  readonly faults: readonly string[]
}

/** Two servers on a store on Ceph; one is killed now and then. */
class Site {
  readonly #cluster: Cluster
  readonly #first: RunningServer
  #second: RunningServer

  private constructor(cluster: Cluster, first: RunningServer, second: RunningServer) {
    this.#cluster = cluster
    this.#first = first
    this.#second = second
  }

  static async start(cluster: Cluster): Promise<Site> {
    const env = environmentFor(cluster.connection)
    const [first, second] = await Promise.all([startServer('-', 0, env), startServer('-', 0, env)])
    return new Site(cluster, first, second)
  }

  /** That of the server that lives, and that of the other one. */
  get urls(): readonly [string, string] {
    return [this.#first.url, this.#second.url]
  }

  async break(kind: S3Break): Promise<void> {
    if (kind === 'server killed') {
      await this.#second.kill()
      const port = Number(new URL(this.#second.url).port)
      this.#second = await startServer('-', port, environmentFor(this.#cluster.connection))
    } else if (kind === 'gateway killed') {
      await this.#cluster.signal('client.rgw.a', 'SIGKILL')
      await this.#cluster.start()
    } else {
      await this.#cluster.signal('client.rgw.a', 'SIGSTOP')
      await delay(FROZEN_FOR)
      await this.#cluster.signal('client.rgw.a', 'SIGCONT')
    }
  }

  async stop(): Promise<string[]> {
    const ends = await Promise.all([this.#first.stop(), this.#second.stop()])
    return ends
      .filter(({ code }) => code !== 0)
      .map(({ code, stderr }) => `a server ended with ${code}: ${stderr}`)
  }
}

function environmentFor({ endpoint, bucket, credentials }: ClusterConnection): Record<string, string> {
  return {
    RANGE_SERVER_STORE: 's3',
    RANGE_SERVER_S3_ENDPOINT: endpoint,
    RANGE_SERVER_S3_BUCKET: bucket,
    RANGE_SERVER_S3_PREFIX: PREFIX,
    RANGE_SERVER_LOG_LEVEL: 'silent',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  }
}

/** Breaks something amid uploads and reads, again and again, and looks for broken promises. */
export async function disturbS3(runs: number, onProgress: (text: string) => void): Promise<S3Disturbed> {
  const start = Date.now()
  const rounds = new Map<S3Break, Happened[]>(S3_BREAKS.map((kind) => [kind, []]))
  const faults: string[] = []
  const kept = new Map<string, string>()
  const cluster = await Cluster.make()
  try {
    await cluster.start()
    const site = await Site.start(cluster)
    try {
      for (let run = 0; run < runs; run++) {
        const kind = S3_BREAKS[run % S3_BREAKS.length] ?? S3_BREAKS[0]
        const happened = await disturb(site, kind, new S3Round(site.urls, `${run}`, kept))
        rounds.get(kind)?.push(happened)
        faults.push(...happened.faults.map((fault) => `run ${run}, ${kind}: ${fault}`))
        onProgress(
          `${run + 1} of ${runs}, ${kind}: ${happened.acknowledged} acknowledged, ${happened.refused} not`,
        )
      }
      faults.push(...(await new S3Round(site.urls, 'end', kept).readKept()))
    } finally {
      // They would outlive us.
      faults.push(...(await site.stop()))
    }
    faults.push(...(await leftovers(cluster.connection, kept.size)))
  } finally {
    await cluster.stop()
  }
  return { rounds, time: Date.now() - start, faults }
}

async function disturb(site: Site, kind: S3Break, round: S3Round): Promise<Happened> {
  round.begin()
  await delay((randomBytes(1)[0] ?? 0) * (UNDER_WAY / 256))
  await site.break(kind)
  return round.end()
}

/** What a sweep that waits for nothing leaves behind beside the objects. */
async function leftovers(connection: ClusterConnection, objects: number): Promise<string[]> {
  const store = createS3Store({ ...connection, prefix: PREFIX, orphanAge: 0, expireAfter: 0 })
  await store.sweep()
  await store.close()
  const { names, multiparts } = await bucketNames(connection, PREFIX)
  const count = (kind: string) => names.filter((name) => name.startsWith(`${PREFIX}${kind}/`)).length
  const faults: string[] = []
  if (count('records') !== objects) faults.push(`${count('records')} records of ${objects} objects`)
  if (count('blobs') !== objects) faults.push(`${count('blobs')} blobs of ${objects} objects`)
  if (count('staging') > 0) faults.push(`${count('staging')} staged objects are left`)
  if (multiparts.length > 0) faults.push(`parts of ${multiparts.length} uploads are left`)
  return faults
}

/** For people: a Markdown table, and a line for each fault. */
export function describeS3({ rounds, time, faults }: S3Disturbed): string {
  const rows = [...rounds].map(([kind, all]) => {
    const sum = (of: (one: Happened) => number) => all.reduce((total, one) => total + of(one), 0)
    const slowest = Math.max(0, ...all.map((one) => one.slowest))
    return [
      kind,
      all.length,
      sum((one) => one.acknowledged),
      sum((one) => one.refused),
      sum((one) => one.resumed),
      `${(slowest / 1000).toFixed(1)} s`,
      sum((one) => one.faults.length),
    ]
  })
  const head = [
    'broken',
    'runs',
    'uploads acknowledged',
    'refused or cut',
    'resumed',
    'slowest request',
    'faults',
  ]
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  const title = `A store on Ceph, two servers: lost, torn, left over or never answered: ${faults.length}`
  return [
    `${title}, in ${(time / 1000).toFixed(0)} s`,
    '',
    ...lines,
    ...faults.map((fault) => `    ${fault}`),
  ].join('\n')
}
