import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { BODY_RULES, type BodyRules, bodyWatch } from '../../apps/server/dist/http/slow-body.js'

/** Half a second stands for half a minute. */
const FAST = { ...BODY_RULES, window: 600, grace: 200, idleTimeout: 600, interval: 20, minRate: 10_000 }

/** Sends the head of a request whose body is watched; resolves to what the watch says, or `null` when all has come. */
async function upload(
  send: (socket: Socket) => void,
  options: {
    readonly length?: number
    readonly coding?: string
    readonly rules?: BodyRules
    readonly read?: boolean
  } = {},
): Promise<string | null> {
  const { length = 1_000_000, coding = `Content-Length: ${length}`, rules = FAST, read = true } = options
  const watch = bodyWatch(rules)
  return new Promise((resolve, reject) => {
    const server = createServer((request) => {
      watch(request, resolve)
      request.on('end', () => resolve(null))
      if (read) request.resume()
      else setTimeout(() => request.resume(), 1500)
    })
    server.listen(0, '127.0.0.1', () => {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
      onTestFinished(() => {
        socket.destroy()
        server.closeAllConnections()
        server.close()
      })
      socket.on('error', reject)
      socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${coding}\r\n\r\n`)
      send(socket)
    })
  })
}

function every(milliseconds: number, act: () => void): void {
  const timer = setInterval(act, milliseconds)
  onTestFinished(() => clearInterval(timer))
}

describe('a body', () => {
  it('that drips is ended, and the reason tells its rate', async () => {
    const reason = await upload((socket) => every(50, () => socket.write('x')))
    expect(reason).toMatch(
      /^The body arrived at \d+ bytes\/s over 0\.\d+ seconds; the minimum is 10000\. Retry/,
    )
  })

  it('that stops is ended', async () => {
    const rules = { ...FAST, minRate: 0 }
    expect(await upload((socket) => socket.write('x'.repeat(1000)), { rules })).toBe(
      'No byte of the body arrived for 0.6 seconds. Retry the request.',
    )
  })

  it('without a first byte is ended long before one that has begun', async () => {
    const rules = { ...FAST, minRate: 0, firstByteTimeout: 100 }
    expect(await upload(() => {}, { rules })).toBe(
      'The first byte of the body did not arrive within 0.1 seconds. Retry the request.',
    )
    const begun = (socket: Socket) => void socket.write('x')
    expect(await upload(begun, { rules })).toBe(
      'No byte of the body arrived for 0.6 seconds. Retry the request.',
    )
  })

  it('whose chunks have long headers and hardly any content is ended for its rate', async () => {
    const chunk = `1;${'x'.repeat(2000)}\r\nx\r\n`
    const send = (socket: Socket) => every(20, () => socket.write(chunk))
    expect(await upload(send, { coding: 'Transfer-Encoding: chunked' })).toMatch(/the minimum is 10000/)
  })

  it('that comes slowly and steadily is taken to its end', async () => {
    const send = (socket: Socket) => every(50, () => socket.write('x'.repeat(1000)))
    expect(await upload(send, { length: 60_000 })).toBeNull()
  })

  it('that waits for us is not its sender’s fault', async () => {
    const send = (socket: Socket) => socket.write('x'.repeat(5_000_000))
    expect(await upload(send, { length: 5_000_000, read: false })).toBeNull()
  })

  it('is ended after its longest time, however fast it comes', async () => {
    const rules = { ...FAST, maxDuration: 300 }
    const send = (socket: Socket) => every(5, () => socket.write('x'.repeat(1000)))
    expect(await upload(send, { length: 1e9, rules })).toMatch(/not complete after 0\.3 seconds/)
  })
})
