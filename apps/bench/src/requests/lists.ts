import { join } from 'node:path'
import { createFsStore } from 'upload-store'
import { startServer } from '../child.ts'
import { type Figures, measure, openClient } from './client.ts'
import { OURS } from './subjects.ts'

const PAGE = { method: 'GET', path: '/videos?limit=1000' }
/** Connections, and requests at once. */
const PARALLEL = 16

export interface ListFigures {
  readonly kind: string
  /** How many objects the store has. */
  readonly objects: number
  /** The least number of requests a second that is a success. */
  readonly wanted?: number
  readonly figures: Figures
}

/** Measures pages of a store with this number of objects. */
export async function measureLists(
  root: string,
  objects: number,
  count: number,
): Promise<readonly ListFigures[]> {
  const directory = join(root, String(objects))
  console.error(`stores ${objects} objects`)
  await fill(directory, objects)
  const server = await startServer(OURS.server, directory, { mode: OURS.mode })
  const client = openClient(server.port, PARALLEL)
  try {
    const get = () => client.send(PAGE, 200)
    const first = await measure(server.pid, 1, 1, get)
    const { etag = '' } = await get()
    const again = () => client.send({ ...PAGE, headers: { 'If-None-Match': etag } }, 304)
    const page = await measure(server.pid, count, PARALLEL, get)
    const unchanged = await measure(server.pid, count, PARALLEL, again)
    return [
      { kind: 'the first after the start', objects, figures: first },
      { kind: 'again', objects, wanted: 200, figures: page },
      { kind: 'unchanged (304)', objects, wanted: 2000, figures: unchanged },
    ]
  } finally {
    client.close()
    await server.stop()
  }
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
