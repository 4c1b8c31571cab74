import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { AnswerReader } from './answer-reader.ts'

export interface NodeLoad {
  readonly port: number
  /** Requests as they go over the wire; all are asked, in turn. */
  readonly requests: readonly Buffer[]
  readonly method: 'GET' | 'HEAD'
  readonly connections: number
  /** It ends after so many answers, or after this time, whichever is first. */
  readonly answers: number
  readonly milliseconds: number
}

export interface NodeTotals {
  readonly answers: number
  readonly bytes: number
  readonly seconds: number
}

/**
 * Keeps every connection busy until there are enough answers or the time is up, then cuts what is still under way.
 *
 * @throws Error for a status of 400 or more, a chunked body or a connection that breaks
 */
export async function runNodeClient(load: NodeLoad): Promise<NodeTotals> {
  const started = performance.now()
  const tally = { asked: 0, answers: 0, bytes: 0 }
  const sockets: Socket[] = []
  const enough = new Promise<void>((resolve, reject) => {
    for (let count = 0; count < load.connections; count++) {
      sockets.push(keepAsking(load, tally, resolve, reject))
    }
  })
  try {
    // Its sockets keep this process alive meanwhile; a timer that is left over must not.
    await Promise.race([enough, setTimeout(load.milliseconds, undefined, { ref: false })])
    return { answers: tally.answers, bytes: tally.bytes, seconds: (performance.now() - started) / 1000 }
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}

interface Tally {
  asked: number
  answers: number
  bytes: number
}

function keepAsking(
  load: NodeLoad,
  tally: Tally,
  resolve: () => void,
  reject: (error: unknown) => void,
): Socket {
  const { port, requests, method, answers } = load
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  function askNext(): void {
    const request = requests[tally.asked++ % requests.length]
    if (request !== undefined) socket.write(request)
  }
  const reader = new AnswerReader(method, () => {
    tally.answers++
    if (tally.answers === answers) resolve()
    else if (tally.asked < answers) askNext()
  })
  socket.on('data', (chunk) => {
    tally.bytes += chunk.length
    try {
      reader.take(chunk)
    } catch (error) {
      reject(error)
    }
  })
  socket.once('error', reject)
  socket.once('end', () => reject(new Error('The server closed a connection.')))
  askNext()
  return socket
}
