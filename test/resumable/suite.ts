import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { expect } from 'vitest'
import { makeDirectory } from './directory.ts'
import {
  type Answer,
  type Client,
  type Exchange,
  PROTOCOLS,
  type Protocol,
  type Request,
  send,
} from './exchange.ts'
import { http2Client } from './http2-client.ts'
import { faultsOf } from './invariants.ts'
import { http1Client } from './raw-http1.ts'
import { append, creation, NOTHING, retrieval, type Saying } from './requests.ts'
import { type Ports, startUnderTest, type UnderTest, type UnderTestOptions } from './under-test.mjs'

export type Level = 'MUST' | 'SHOULD' | 'ours'

export interface Case {
  readonly level: Level
  /** Of draft -12, unless it names another text. */
  readonly section: string
  /** What the server does. */
  readonly title: string
  /** Where the other has no such thing. */
  readonly only?: Protocol
  readonly run: (context: Context) => Promise<void>
}

export interface Theme {
  readonly name: string
  readonly options?: UnderTestOptions
  readonly cases: readonly Case[]
}

const as =
  (level: Level) =>
  (section: string, title: string, run: Case['run'], only?: Protocol): Case =>
    only === undefined ? { level, section, title, run } : { level, section, title, run, only }

/** The draft's MUST, its SHOULD (or RECOMMENDED), and what only a careful server does. */
export const must = as('MUST')
export const should = as('SHOULD')
export const ours = as('ours')

/** One case's hands: a client of one protocol, the store behind the server, a key that nobody else has. */
export class Context {
  readonly key: string = `${randomUUID()}.mp4`
  readonly client: Client
  readonly faults: string[] = []
  readonly #server: UnderTest
  readonly #clients: Client[] = []

  constructor(protocol: Protocol, server: UnderTest) {
    this.#server = server
    this.client = this.connect(server.ports, protocol)
  }

  get protocol(): Protocol {
    return this.client.protocol
  }

  get store() {
    return this.#server.store
  }

  get port(): number {
    return this.#server.ports[this.protocol]
  }

  /** A client of another server, by the same protocol unless told otherwise. */
  connect(ports: Ports, protocol = this.protocol): Client {
    const client = protocol === 'HTTP/2' ? http2Client(ports[protocol]) : http1Client(ports[protocol])
    this.#clients.push(client)
    return client
  }

  async send(request: Request, client = this.client): Promise<Answer> {
    const answer = await send(client, request)
    this.faults.push(...faultsOf(request, answer))
    return answer
  }

  open(request: Request): Exchange {
    return this.client.open(request)
  }

  /** Creates an upload that goes on, of what `body` has so far; its path. */
  async begin(saying: Saying = {}): Promise<string> {
    const answer = await this.send(creation(this.key, { complete: false, body: NOTHING, ...saying }))
    expect(answer).toMatchObject({ status: 201, fields: { location: expect.any(String) } })
    return pathOf(answer.fields['location'])
  }

  /** Creates an upload and completes it, with nothing else in between; its path. */
  async uploaded(body: Uint8Array): Promise<string> {
    const path = await this.begin()
    const answer = await this.send(append(path, { offset: 0, body, complete: true }))
    expect(answer).toMatchObject({ status: 201, fields: { 'upload-complete': '?1' } })
    return path
  }

  /** Begins to append `body`, of more to come, and lets it arrive. */
  async stall(path: string, offset: number, body: Uint8Array, more = 1000): Promise<Exchange> {
    const exchange = this.open(append(path, { offset, complete: true, announced: body.length + more }))
    exchange.write(body)
    await this.accepted(path, offset + body.length)
    return exchange
  }

  /** Resolves when a running append has accepted so many bytes of the upload. */
  accepted(path: string, bytes: number): Promise<void> {
    return accepted(this.client, path, bytes)
  }

  /** Resolves when the server has ended all appends to the upload. */
  async ended(path: string): Promise<void> {
    await send(this.client, { method: 'GET', path: `/ended${path}/0` })
  }

  /** Where the upload goes on. */
  async offsetOf(path: string, client = this.client): Promise<number> {
    const { status, fields } = await this.send(retrieval(path), client)
    expect({ status, fields }).toMatchObject({
      status: expect.toSatisfy((code: number) => code === 200 || code === 204),
      fields: { 'upload-offset': expect.any(String) },
    })
    return Number(fields['upload-offset'])
  }

  /** Nothing is known of the upload any more. */
  async expectGone(path: string): Promise<void> {
    const { status } = await this.send(retrieval(path))
    expect(status).toSatisfy((code: number) => code === 404 || code === 410)
  }

  /** What the store shows under the key of the case; `null`: nothing. */
  async stored(key = this.key): Promise<Buffer | null> {
    const found = await this.store.get(key)
    if (found === null) return null
    const chunks: Buffer[] = []
    for await (const chunk of await found.stream()) chunks.push(chunk)
    return Buffer.concat(chunks)
  }

  async expectStored(bytes: Uint8Array | null, key = this.key): Promise<void> {
    const found = await this.stored(key)
    // Not as values: a difference of megabytes takes minutes to print.
    if (bytes === null || found === null) expect(found?.length ?? null).toBe(bytes?.length ?? null)
    else expect([found.length, found.equals(bytes)]).toEqual([bytes.length, true])
  }

  close(): void {
    for (const client of this.#clients) client.close()
  }
}

/** Waits for as long as bytes take to the server, where a test must not let it say that they have come. */
export function arrival(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 150))
}

/** Resolves when the server of `client` has accepted so many bytes of the upload, by an append that still runs. */
export async function accepted(client: Client, path: string, bytes: number): Promise<void> {
  await send(client, { method: 'GET', path: `/accepted${path}/${bytes}` })
}

export function pathOf(location: string | undefined): string {
  return new URL(location ?? '', 'http://127.0.0.1').pathname
}

export const casesOf = ({ cases }: Theme, protocol: Protocol): readonly Case[] =>
  cases.filter(({ only }) => only === undefined || only === protocol)

/** A theme's server, which its cases over both protocols share. */
export async function startTheme({ options }: Theme) {
  const directory = await makeDirectory()
  const server = await startUnderTest(directory, options)
  return {
    server,
    stop: async () => {
      await server.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export async function runCase(one: Case, protocol: Protocol, server: UnderTest): Promise<void> {
  const context = new Context(protocol, server)
  try {
    await one.run(context)
    expect(context.faults).toEqual([])
  } finally {
    context.close()
  }
}

export { PROTOCOLS, type Protocol }
