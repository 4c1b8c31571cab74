import { Agent, get, type RequestOptions } from 'node:http'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { type Answer, checkAnswer, type Expect } from './answer.ts'
import type { Sample } from './file.ts'

export const CONNECTIONS = 16

/** What to ask one server for, and for how long. */
export interface Load {
  readonly url: URL
  /** Asked for in turn, over and over. */
  readonly samples: readonly Sample[]
  readonly expect: Expect
  /** Not counted: connections open, and what a former cell has left behind comes to an end. */
  readonly rampMilliseconds: number
  readonly milliseconds: number
}

interface Tally {
  answers: number
  over: boolean
}

/**
 * Keeps every connection busy until the time is up, then cuts what is still under way.
 *
 * @returns checked answers per second
 * @throws Error for an answer that is not as expected, or none at all
 */
export async function measureRate(load: Load): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const tally: Tally = { answers: 0, over: false }
  const ranges = endless(load.samples)
  const asking = Promise.all(Array.from({ length: CONNECTIONS }, () => askInTurn(load, agent, ranges, tally)))
  try {
    await Promise.race([asking, setTimeout(load.rampMilliseconds)])
    const before = tally.answers
    const started = performance.now()
    await Promise.race([asking, setTimeout(load.milliseconds)])
    return ((tally.answers - before) * 1000) / (performance.now() - started)
  } finally {
    tally.over = true
    agent.destroy()
    await asking
  }
}

/** One connection's worth of requests, each sent when the one before it has been answered. */
async function askInTurn(load: Load, agent: Agent, ranges: Iterable<Sample>, tally: Tally): Promise<void> {
  for (const sample of ranges) {
    try {
      checkAnswer(await ask(load.url, agent, sample), sample, load.expect)
    } catch (error) {
      if (tally.over) return
      throw error
    }
    if (tally.over) return
    tally.answers++
  }
}

function* endless<T>(items: readonly T[]): Generator<T> {
  for (;;) yield* items
}

function ask(url: URL, agent: Agent, { start, end }: Sample): Promise<Answer> {
  const options: RequestOptions = { agent, headers: { Range: `bytes=${start}-${end}` } }
  return new Promise((resolve, reject) => {
    const request = get(url, options, (response) => {
      let length = 0
      let first: number | undefined
      let last: number | undefined
      response.on('data', (chunk: Buffer) => {
        first ??= chunk[0]
        last = chunk.at(-1)
        length += chunk.length
      })
      response.once('error', reject)
      response.once('end', () => {
        const { statusCode: status, headers } = response
        resolve({ status, contentRange: headers['content-range'], length, first, last })
      })
    })
    request.once('error', reject)
  })
}
