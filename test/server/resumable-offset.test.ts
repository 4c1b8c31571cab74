import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { begin, locationOf, startServer } from '../support/resumable.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { childrenOf, holderOf } from '../support/workers.ts'

/** Bytes that a PATCH brings before it stalls. */
const STALLED = 100_000
const ROUNDS = 10
/** In ms; how often a worker looks whether another one wants an upload of its own. */
const WATCH_INTERVAL = 40

function open(url: string): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {})
  onTestFinished(() => void socket.destroy())
  return socket
}

function wait(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time))
}

/** Two connections, to two processes where there are workers. */
async function openTwo(url: string, workers: readonly number[]): Promise<readonly [Socket, Socket]> {
  const first = open(url)
  for (;;) {
    const second = open(url)
    await once(second, 'connect')
    if (workers.length === 0) return [first, second]
    await wait(20)
    const holders = await Promise.all([first, second].map((socket) => holderOf(socket, workers)))
    if (!holders.includes(undefined) && holders[0] !== holders[1]) return [first, second]
    second.destroy()
  }
}

/** A PATCH that brings some bytes, and then nothing. */
function stall(socket: Socket, location: string, offset: number): void {
  const head = [
    `PATCH ${location} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Content-Type: application/partial-upload',
    `Upload-Offset: ${offset}`,
    'Upload-Complete: ?0',
    'Content-Length: 100000000',
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  socket.write(randomBytes(STALLED))
}

/** The ms until the offset is told, and the offset. */
async function ask(socket: Socket, location: string): Promise<{ time: number; offset: number }> {
  const start = performance.now()
  socket.write(`HEAD ${location} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
  const [answer] = await once(socket, 'data')
  const time = performance.now() - start
  return { time, offset: Number(/\r\nupload-offset: (\d+)\r\n/i.exec(String(answer))?.[1]) }
}

const medianOf = (times: readonly number[]) => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0

describe('asking for the offset while a PATCH stalls', () => {
  it.each([
    ['in the same process', '1'],
    ['in another worker', '2'],
  ])('takes at most 100 ms more, as a rule, than while nothing stalls: %s', async (_, count) => {
    const { url, server } = await startServer(await temporaryDirectory(), '--workers', count)
    const workers = await childrenOf(server.child.pid)
    const location = locationOf(await begin(url, 'POST', '/video', new Uint8Array()))
    const idle: number[] = []
    const times: number[] = []
    let reached = 0
    for (let round = 1; round <= ROUNDS; round++) {
      const [stalled, asking] = await openTwo(url, workers)
      idle.push((await ask(asking, location)).time)
      stall(stalled, location, reached)
      // At another moment between two looks in each round.
      await wait(100 + (round / ROUNDS) * WATCH_INTERVAL)
      const { time, offset } = await ask(asking, location)
      expect(offset).toBeGreaterThanOrEqual(reached)
      reached = offset
      times.push(time)
    }
    // On a busy machine some rounds ask before all has come.
    expect(reached).toBeGreaterThanOrEqual(STALLED)
    // Other programs use this machine: a busy disk delays the requests beside a stall and the others alike.
    expect(medianOf(times)).toBeLessThan(100 + 4 * medianOf(idle))
    // Far below the time limit for the PATCH, which is what a server that waits for its end takes.
    expect(Math.max(...times)).toBeLessThan(5000)
  })
})
