import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { pipeline, Transform } from 'node:stream'
import { onTestFinished } from 'vitest'

export interface Wire {
  /** The URL through the wire. */
  readonly url: string
  /** The head of each request as it came, first line and all. */
  readonly heads: readonly string[]
  /** How many connections were opened. */
  readonly connections: number
  /** How many bytes of answers have passed. */
  readonly passed: number
}

export interface WireOptions {
  /** How fast answers pass on each connection; without it as fast as they come. */
  readonly bytesPerSecond?: number
  /** Cuts the first connection off after that many bytes of answer, as a network does that went away. */
  readonly cutAfter?: number
}

/** A TCP proxy on loopback, which shows what the server's log does not have: header fields and connections. */
export async function tapWire(target: string, options: WireOptions = {}): Promise<Wire> {
  const { port, pathname, search } = new URL(target)
  const received: string[] = []
  let passed = 0
  const proxy = createServer((client) => {
    const connection = received.push('') - 1
    const server = connect(Number(port), '127.0.0.1')
    client.on('data', (chunk) => {
      received[connection] += chunk.toString('latin1')
    })
    client.pipe(server)
    const cutAfter = connection === 0 ? options.cutAfter : undefined
    const link = pace(options.bytesPerSecond, cutAfter)
    link.on('data', (chunk: Buffer) => {
      passed += chunk.length
    })
    // Either side's end ends the other; how it ended is for the client and the server to judge.
    pipeline(server, link, client, () => {
      server.destroy()
      client.destroy()
    })
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  onTestFinished(() => void proxy.close())
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${pathname}${search}`,
    get heads() {
      // Requests without bodies, so that each ends where its head does.
      return received.flatMap((text) => text.split('\r\n\r\n').slice(0, -1))
    },
    get passed() {
      return passed
    },
    get connections() {
      return received.length
    },
  }
}

function pace(bytesPerSecond = Number.POSITIVE_INFINITY, cutAfter = Number.POSITIVE_INFINITY): Transform {
  let passed = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const rest = cutAfter - passed
      passed += chunk.length
      if (rest < chunk.length) {
        this.push(chunk.subarray(0, rest))
        // What was let through has to arrive before the connection goes.
        setImmediate(() => this.destroy())
      } else if (bytesPerSecond === Number.POSITIVE_INFINITY) done(null, chunk)
      else setTimeout(done, (chunk.length / bytesPerSecond) * 1000, null, chunk)
    },
  })
}
