import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { append, begin, locationOf, startServer } from '../support/resumable.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const SIZE = 256 * 1024
const ROUNDS = 30
/** The first rounds are those in which the code is compiled. */
const WARM_UP = 10
/** What each upload has before, so that a cost that grows with the earlier bytes is seen. */
const EARLIER = 64 * 1024 * 1024

/** An append costs about half of a PUT. A product that hashes all earlier bytes again takes several times a PUT. */
const MOST = 2

const VERSION = { 'Tus-Resumable': '1.0.0' }

/** Processor time of all threads of a process so far, in ns: ticks of /proc/<pid>/stat would be too coarse. */
async function processorTime(pid: number | undefined): Promise<number> {
  const tasks = await readdir(`/proc/${pid}/task`)
  const texts = await Promise.all(
    // A thread may end meanwhile.
    tasks.map((task) => readFile(`/proc/${pid}/task/${task}/schedstat`, 'utf8').catch(() => '0')),
  )
  return texts.reduce((sum, text) => sum + Number(text.split(' ', 1)[0]), 0)
}

async function expectOk(request: Promise<Response>): Promise<Response> {
  const response = await request
  await response.arrayBuffer()
  expect(response.status).toSatisfy((status) => status >= 200 && status < 300)
  return response
}

async function beginByTus(url: string): Promise<string> {
  const headers = { ...VERSION, 'Upload-Defer-Length': '1' }
  return locationOf(await expectOk(fetch(`${url}/files`, { method: 'POST', headers })))
}

function appendByTus(url: string, path: string, offset: number, body: Uint8Array<ArrayBuffer>) {
  const type = { 'Content-Type': 'application/offset+octet-stream' }
  const headers = { ...VERSION, ...type, 'Upload-Offset': String(offset) }
  return fetch(new URL(path, url), { method: 'PATCH', headers, body })
}

/** The middle one: a round in which the server also did something else does not count. */
function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN
}

describe.skipIf(process.platform !== 'linux')('the processor time of an append', () => {
  it('is at most twice that of a PUT of the same bytes, by tus and by the draft', async () => {
    const { url, server } = await startServer(await temporaryDirectory(), '--log-level', 'silent')
    const tus = await beginByTus(url)
    const draft = locationOf(await expectOk(begin(url, 'POST', '/uploads', new Uint8Array())))
    const earlier = randomBytes(EARLIER)
    await expectOk(appendByTus(url, tus, 0, earlier))
    await expectOk(append(url, draft, 0, earlier, false))
    const ways: Readonly<
      Record<string, (round: number, body: Uint8Array<ArrayBuffer>) => Promise<Response>>
    > = {
      put: (round, body) => fetch(`${url}/videos/${round}`, { method: 'PUT', body }),
      tus: (round, body) => appendByTus(url, tus, EARLIER + round * SIZE, body),
      draft: (round, body) => append(url, draft, EARLIER + round * SIZE, body, false),
    }
    const times: Record<string, number[]> = { put: [], tus: [], draft: [] }
    // In turns, so that whatever slows the machine down slows down all of them.
    for (let round = 0; round < ROUNDS; round++) {
      for (const [way, send] of Object.entries(ways)) {
        const before = await processorTime(server.child.pid)
        await expectOk(send(round, randomBytes(SIZE)))
        if (round >= WARM_UP) times[way]?.push((await processorTime(server.child.pid)) - before)
      }
    }
    const [put, byTus, byDraft] = [times['put'], times['tus'], times['draft']].map((all) => median(all ?? []))
    expect(byTus).toBeLessThan(MOST * (put ?? 0))
    expect(byDraft).toBeLessThan(MOST * (put ?? 0))
  })
})
