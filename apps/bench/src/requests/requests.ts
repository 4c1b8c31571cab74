import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createFsStore } from 'upload-store'
import { startServer } from '../child.ts'
import { formatRate, markdownTable } from '../table.ts'
import { temporaryDirectory } from '../temporary.ts'
import { type Figures, measure, openClient, type Send } from './client.ts'
import { openAppends, WAYS } from './small-uploads.ts'

const SERVER = new URL('../servers/koa-range-server.js', import.meta.url)
const LIST = '/videos?limit=1000'
/** Connections, and uploads at once. */
const PARALLEL = 16

interface Pace {
  /** Requests for each figure. */
  readonly count: number
  /** How many objects the lists have. */
  readonly objects: readonly number[]
}

const DEFAULT: Pace = { count: 512, objects: [10_000, 100_000] }
const QUICK: Pace = { count: 64, objects: [1000] }

type Row = readonly [name: string, figures: Figures]

/** Measures small uploads, appends and lists of the server; resolves to the report. */
export async function benchRequests(quick: boolean): Promise<string> {
  if (process.platform !== 'linux')
    throw new Error('requests needs Linux: it reads processor time from /proc.')
  const pace = quick ? QUICK : DEFAULT
  const root = temporaryDirectory()
  const rows = await withServer(join(root, 'uploads'), (pid, send) => measureUploads(pid, send, pace))
  for (const objects of pace.objects) {
    const directory = join(root, String(objects))
    await fill(directory, objects)
    rows.push(...(await withServer(directory, (pid, send) => measureLists(pid, send, pace, objects))))
  }
  return `${markdownTable(['requests', 'a second', 'processor time each'], rows.map(format))}\n`
}

async function withServer<T>(root: string, task: (pid: number, send: Send) => Promise<T>): Promise<T> {
  mkdirSync(root, { recursive: true })
  const server = await startServer(SERVER, root, { mode: 'full' })
  const client = openClient(server.port, PARALLEL)
  try {
    return await task(server.pid, client.send)
  } finally {
    client.close()
    await server.stop()
  }
}

async function measureUploads(pid: number, send: Send, { count }: Pace): Promise<Row[]> {
  const rows: Row[] = []
  for (const [label, size] of [
    ['100 kB', 100_000],
    ['1 MiB', 1024 ** 2],
  ] as const) {
    for (const { name, upload } of WAYS) {
      const take = (index: number) => upload(send, `${name[0]}-${size}-${index}.mp4`, randomBytes(size))
      rows.push([`${label}, ${PARALLEL} at once: ${name}`, await measure(pid, count, PARALLEL, take)])
    }
  }
  const append = await openAppends(send, 100_000)
  rows.push(['append of 100 kB to one upload', await measure(pid, count, 1, append)])
  return rows
}

async function measureLists(pid: number, send: Send, { count }: Pace, objects: number): Promise<Row[]> {
  const get = { method: 'GET', path: LIST }
  const first = await measure(pid, 1, 1, () => send(get, 200))
  const { etag = '' } = await send(get, 200)
  const again = { ...get, headers: { 'If-None-Match': etag } }
  const list = await measure(pid, count, PARALLEL, () => send(get, 200))
  const unchanged = await measure(pid, count, PARALLEL, () => send(again, 304))
  const of = `page of 1,000 of ${objects.toLocaleString('en')} objects`
  return [
    [`${of}, the first after the start`, first],
    [of, list],
    [`${of}, unchanged (304)`, unchanged],
  ]
}

/** Stores objects without syncs, because their number is what counts. */
async function fill(directory: string, objects: number): Promise<void> {
  const store = createFsStore(directory, { durability: 'none' })
  async function* content(number: number): AsyncGenerator<Buffer> {
    yield Buffer.from(`content ${number}`)
  }
  for (let at = 0; at < objects; at += PARALLEL) {
    const numbers = Array.from({ length: Math.min(PARALLEL, objects - at) }, (_, index) => at + index)
    await Promise.all(numbers.map((number) => store.put(`clip ${number}.mp4`, content(number))))
  }
  await store.close()
}

function format([name, { perSecond, processor }]: Row): readonly string[] {
  return [name, formatRate(perSecond), `${processor.toFixed(1)} ms`]
}
