import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { begin, locationOf, startServer } from '../support/resumable.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { childrenOf, holderOf } from '../support/workers.ts'

const SIZE = 20_000

async function open(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {})
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** A connection to each of two workers. */
async function openBoth(url: string, workers: readonly number[]): Promise<readonly [Socket, Socket]> {
  const first = await open(url)
  for (;;) {
    const second = await open(url)
    // The worker has accepted a connection when it has answered.
    for (const socket of [first, second])
      await ask(socket, 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    const holders = await Promise.all([first, second].map((socket) => holderOf(socket, workers)))
    if (!holders.includes(undefined) && holders[0] !== holders[1]) return [first, second]
    second.destroy()
  }
}

async function ask(socket: Socket, head: string, body: Uint8Array = Buffer.alloc(0)): Promise<string> {
  socket.write(head)
  socket.write(body)
  const [answer] = await once(socket, 'data')
  return String(answer)
}

function patch(location: string, offset: number, length: number, complete: boolean): string {
  const fields = [
    `PATCH ${location} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Content-Type: application/partial-upload',
    `Upload-Offset: ${offset}`,
    `Upload-Complete: ?${Number(complete)}`,
    `Content-Length: ${length}`,
  ]
  return `${fields.join('\r\n')}\r\n\r\n`
}

describe.skipIf(process.platform !== 'linux')('a resumable upload with two workers', () => {
  it('is continued at once by a worker although the other one has received the last append', async () => {
    const { url, server } = await startServer(await temporaryDirectory(), '--workers', '2')
    const sockets = await openBoth(url, await childrenOf(server.child.pid))
    const content = randomBytes(SIZE * 12)
    const location = locationOf(await begin(url, 'POST', '/video', new Uint8Array()))
    let answer = ''
    for (let number = 0; number < 12; number++) {
      // Two appends to one worker, then two to the other one.
      const socket = sockets[(number >> 1) & 1] ?? sockets[0]
      const bytes = content.subarray(number * SIZE, (number + 1) * SIZE)
      answer = await ask(socket, patch(location, number * SIZE, SIZE, number === 11), bytes)
      expect(answer).toMatch(number === 11 ? /^HTTP\/1\.1 201 / : /^HTTP\/1\.1 204 /)
    }
    expect(answer).toContain(createHash('sha256').update(content).digest('hex'))
  })
})
