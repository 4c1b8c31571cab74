import { setTimeout as delay } from 'node:timers/promises'
import { parseMultipart } from './byteranges.ts'
import type { Case, Exchange, Step } from './case.ts'
import { applyChange } from './change.ts'
import { FILES, type FileContent } from './fixtures.ts'
import { checkResponse } from './invariants.ts'
import { judge } from './judge.ts'
import { entityTag, fillIn } from './placeholders.ts'
import { field, type Response } from './response.ts'
import type { Target } from './target.ts'
import { NotApplicable, Violation } from './violation.ts'
import { Wire } from './wire.ts'

export type Verdict =
  | { readonly result: 'pass' }
  | { readonly result: 'fail' | 'n/a'; readonly reason: string }

/** Enough of a plain GET for its header section, and no 5 GiB. */
const PLAIN_LIMIT = 64 * 1024

/** Runs cases against one server, one after the other. */
export class Suite {
  readonly #target: Target
  readonly #plain = new Map<string, Response>()
  /** What files hold that a case has changed; `null`: nothing, the file is gone. */
  readonly #changed = new Map<string, FileContent | null>()
  #saved = new Map<string, Response>()
  #last: Response | null = null

  constructor(target: Target) {
    this.#target = target
  }

  /** The last response to what the last case asked, whatever came of it. */
  get last(): Response | null {
    return this.#last
  }

  async run({ steps }: Case): Promise<Verdict> {
    this.#saved = new Map()
    this.#last = null
    try {
      for (const step of steps) await this.#take(step)
      return { result: 'pass' }
    } catch (error) {
      if (error instanceof NotApplicable) return { result: 'n/a', reason: error.message }
      if (error instanceof Violation) return { result: 'fail', reason: error.message }
      // A server that crashed refuses connections: its failure, not the suite's.
      if (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED')
        return { result: 'fail', reason: 'no server any more' }
      throw error
    }
  }

  async #take(step: Step): Promise<void> {
    if ('expect' in step) return this.#exchange(step)
    if ('during' in step) return this.#changeDuring(step)
    if ('change' in step) return this.#change(step.change)
    if ('pipelined' in step) return this.#onOneConnection(step.pipelined, true)
    if ('inTurn' in step) return this.#onOneConnection(step.inTurn, false)
    if ('together' in step) return void (await Promise.all(step.together.map((one) => this.#exchange(one))))
    if ('abandoned' in step) return this.#abandon(step)
    if ('differ' in step) return this.#differ(step)
    await untilEarlyInASecond()
  }

  async #exchange(exchange: Exchange): Promise<void> {
    const request = await this.#request(exchange, true)
    const wire = await Wire.open(this.#target.base)
    try {
      wire.send(request)
      await this.#receive(wire, exchange, true)
    } finally {
      wire.close()
    }
  }

  /** Reads and judges one response; after the last of a connection nothing may follow. */
  async #receive(wire: Wire, exchange: Exchange, last: boolean, mayEndShort = false): Promise<Response> {
    const response = await wire.response(exchange.method ?? 'GET', exchange.limit)
    this.#last = response
    if (last && response.end === 'complete') {
      const leftover = await wire.leftover()
      if (leftover > 0) throw new Violation(`${leftover} bytes after the response`)
    }
    if (exchange.save !== undefined) this.#saved.set(exchange.save, response)
    const { file = '' } = exchange
    const known = { file: this.#content(file), plain: this.#plain.get(file) ?? null }
    const judged = mayEndShort ? { ...response, end: 'unread' as const } : response
    judge(judged, exchange, known)
    return response
  }

  async #request(exchange: Exchange, last: boolean): Promise<string> {
    const { file, path, method = 'GET', version = '1.1', headers = [], body } = exchange
    const plain = file === undefined || this.#changed.has(file) ? null : await this.#plainGet(file)
    const find = (name: string | undefined): Response => {
      const response = name === undefined ? plain : this.#saved.get(name)
      if (response == null) throw new Error(`There is no response ${name ?? 'to a plain GET'}`)
      return response
    }
    const { base } = this.#target
    const target = `${base.pathname}${path ?? encodePath(file ?? '')}`
    const lines = [
      `${method} ${target} HTTP/${version}`,
      ...(version === '1.0' ? [] : [`Host: ${base.host}`]),
      ...headers.map((line) => fillIn(line, find)),
      ...(body === undefined ? [] : [`Content-Length: ${body.length}`]),
      ...(last ? ['Connection: close'] : []),
    ]
    return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`
  }

  /** What a GET without conditions gives, asked for once a file. */
  async #plainGet(file: string): Promise<Response> {
    const known = this.#plain.get(file)
    if (known !== undefined) return known
    const { base } = this.#target
    const wire = await Wire.open(base)
    try {
      wire.send(
        `GET ${base.pathname}${encodePath(file)} HTTP/1.1\r\nHost: ${base.host}\r\nConnection: close\r\n\r\n`,
      )
      const response = await wire.response('GET', PLAIN_LIMIT)
      if (response.status !== 200) throw new Violation(`a plain GET gives ${response.status}`)
      checkResponse(response, 'GET', this.#content(file))
      this.#plain.set(file, response)
      return response
    } finally {
      wire.close()
    }
  }

  #content(file: string): FileContent | null {
    const changed = this.#changed.get(file)
    return changed === undefined ? (FILES[file] ?? null) : changed
  }

  async #change(change: Extract<Step, { change: unknown }>['change']): Promise<void> {
    const before = this.#content(change.file)
    if (before === null) throw new Error(`There is no ${change.file} to change`)
    this.#changed.set(change.file, await applyChange(this.#target, change, before))
  }

  async #onOneConnection(exchanges: readonly Exchange[], pipelined: boolean): Promise<void> {
    const requests: string[] = []
    for (const [at, exchange] of exchanges.entries())
      requests.push(await this.#request(exchange, at === exchanges.length - 1))
    const wire = await Wire.open(this.#target.base)
    try {
      if (pipelined) wire.send(requests.join(''))
      for (const [at, exchange] of exchanges.entries()) {
        if (!pipelined) wire.send(requests[at] ?? '')
        const response = await this.#receive(wire, exchange, at === exchanges.length - 1)
        // It says that it answers no more here, which it may.
        if (/\bclose\b/i.test(field(response, 'connection') ?? '')) return
      }
    } finally {
      wire.close()
    }
  }

  async #changeDuring({ during, change, mayEndShort }: Extract<Step, { during: unknown }>): Promise<void> {
    const request = await this.#request(during, true)
    const wire = await Wire.open(this.#target.base)
    try {
      wire.send(request)
      await wire.begin()
      const before = this.#content(change.file)
      if (before === null) throw new Error(`There is no ${change.file} to change`)
      await applyChange(this.#target, change, before)
      await this.#receive(wire, during, true, mayEndShort)
    } finally {
      wire.close()
    }
  }

  async #abandon({ abandoned, times }: Extract<Step, { abandoned: unknown }>): Promise<void> {
    const request = await this.#request(abandoned, true)
    for (let time = 0; time < times; time++) {
      const wire = await Wire.open(this.#target.base)
      wire.send(request)
      await wire.begin()
      wire.close()
    }
  }

  #differ({ differ, by }: Extract<Step, { differ: unknown }>): void {
    const [one, other] = differ.map((name) => this.#saved.get(name))
    if (one === undefined || other === undefined) throw new Error(`Not saved: ${differ}`)
    if (by === 'boundary') {
      const [a, b] = [parseMultipart(one).boundary, parseMultipart(other).boundary]
      if (a === b) throw new Violation(`the boundary is ${a} again`)
      return
    }
    const codings = [one, other].map((response) => field(response, 'content-encoding'))
    const untagged = [one, other].some((response) => field(response, 'etag') === undefined)
    if (by === 'coding' && (codings[0] === codings[1] || untagged)) return
    const [a, b] = [entityTag(one), entityTag(other)]
    if (a === b && !a.startsWith('W/')) throw new Violation(`the strong entity-tag is ${a} again`)
  }
}

function encodePath(file: string): string {
  return file.split('/').map(encodeURIComponent).join('/')
}

async function untilEarlyInASecond(): Promise<void> {
  const into = Date.now() % 1000
  if (into > 500 || into < 50) await delay((1050 - into) % 1000)
}
