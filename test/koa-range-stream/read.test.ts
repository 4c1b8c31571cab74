import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { fileContent, serveContent } from 'koa-range-stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { patterned, settledFile, temporaryDirectory } from './files.ts'
import { ask, type Server, serve } from './server.ts'

const SIZE = 8 * 1024 * 1024

interface Reads {
  /** In the event loop. */
  here: number
  /** By a thread. */
  later: number
}

/** Counts the reads of this process; each one in the event loop takes `wait` ms longer, as from a disk. */
function countReads(wait: number): Reads {
  const reads = { here: 0, later: 0 }
  const { read, readSync } = fs
  const slowly = (...args: Parameters<typeof readSync>) => {
    reads.here++
    const until = performance.now() + wait
    while (performance.now() < until);
    return readSync(...args)
  }
  const counted = (...args: Parameters<typeof read>) => {
    reads.later++
    read(...args)
  }
  Object.assign(fs, { read: counted, readSync: slowly })
  syncBuiltinESMExports()
  onTestFinished(() => {
    Object.assign(fs, { read, readSync })
    syncBuiltinESMExports()
  })
  return reads
}

async function serveVideo(fileSystem?: 'local' | 'network'): Promise<Server> {
  const file = await settledFile(await temporaryDirectory(), 'clip.mp4', patterned(SIZE))
  return serve(async (ctx) => {
    const content = await fileContent(file, { fileSystem })
    if (content !== null) await serveContent(ctx, content)
  })
}

/** Asks for small and long ranges in turn, and looks at every byte. */
async function askFor(server: Server, requests: number): Promise<void> {
  const bytes = patterned(SIZE)
  for (let at = 0; at < requests; at++) {
    const [start, end] = at % 2 === 0 ? [at, at + 4095] : [at, at + 1024 * 1024]
    const { status, body } = await ask(server, { headers: { range: `bytes=${start}-${end}` } })
    expect(status).toBe(206)
    expect(Buffer.compare(body, bytes.subarray(start, end + 1))).toBe(0)
  }
}

describe('reading a file', () => {
  it('is left to threads while the disk makes it wait, but for 1 % of the time', async () => {
    const server = await serveVideo()
    const reads = countReads(5)
    // A read of a test before, which a busy machine interrupted, may have left reads to threads for seconds.
    const here = async () => {
      await askFor(server, 2)
      return reads.here
    }
    await expect.poll(here, { timeout: 50_000, interval: 100 }).toBeGreaterThan(0)
    const before = reads.here
    const started = performance.now()
    await askFor(server, 100)
    const most = 1 + (performance.now() - started) / 500
    expect(reads.here - before).toBeLessThanOrEqual(most)
    expect(reads.later).toBeGreaterThan(200)
  })

  it('waits for no network file system', async () => {
    const server = await serveVideo('network')
    const reads = countReads(0)
    await askFor(server, 20)
    expect(reads.here).toBe(0)
  })

  it('is done at once again when the kernel has the bytes in memory', async () => {
    const server = await serveVideo()
    const reads = countReads(0)
    // The pause that the test before has caused lasts for 0.5 s. A busy machine causes more, because a read that it interrupts
    // seems slow, so a few requests without one have to do.
    const ahead = async () => {
      const { here, later } = reads
      await askFor(server, 4)
      return reads.here - here > reads.later - later
    }
    await expect.poll(ahead, { timeout: 50_000, interval: 200 }).toBe(true)
  })
})
