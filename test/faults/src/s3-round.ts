import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { upload, type Way } from './uploads.ts'

/** In ms: within this time a request is answered or ended, whatever happens to the store. */
const DEADLINE = 60_000
/** Of a resumable upload after the break, in ms between two tries. */
const PAUSE = 200

const MEBIBYTE = 1024 ** 2
/** More than a part of 8 MiB, so that it goes in several. */
const LARGE = 10 * MEBIBYTE

/** Answers that say that the store cannot be had, or the upload is in other hands; the client tries again. */
const REFUSALS = [409, 503]

/** What came of one round. */
export interface Happened {
  readonly acknowledged: number
  readonly refused: number
  /** Uploads that another server went on with. */
  readonly resumed: number
  /** In ms. */
  readonly slowest: number
  readonly faults: readonly string[]
}

interface Sent {
  readonly key: string
  readonly bytes: Buffer
  acknowledged: boolean
}

/** Uploads and reads that something breaks into. */
export class S3Round {
  readonly #first: string
  readonly #second: string
  readonly #name: string
  /** Digests of objects that stay, by key. */
  readonly #kept: Map<string, string>
  readonly #sent: Sent[] = []
  readonly #faults: string[] = []
  #running: Promise<unknown>[] = []
  #location: string | null = null
  #slowest = 0
  #resumed = 0

  /** @param urls of a server that stays, and of one that may be killed */
  constructor([first, second]: readonly [string, string], name: string, kept: Map<string, string>) {
    this.#first = first
    this.#second = second
    this.#name = name
    this.#kept = kept
  }

  begin(): void {
    const [read] = this.#kept.keys()
    this.#running = [
      this.#put(this.#second, 'put', 'small', 50_000),
      this.#put(this.#second, 'put chunked', 'large', LARGE),
      this.#put(this.#second, 'form', 'form', MEBIBYTE),
      this.#put(this.#first, 'put', 'other', LARGE),
      this.#resumable(this.#second),
      ...(read === undefined ? [] : [this.#read(this.#first, read), this.#read(this.#second, read)]),
    ]
  }

  /** To be called when what was broken works again. */
  async end(): Promise<Happened> {
    await Promise.all(this.#running)
    await this.#resume()
    for (const sent of this.#sent) await this.#judge(sent)
    const acknowledged = this.#sent.filter((sent) => sent.acknowledged).length
    return {
      acknowledged,
      refused: this.#sent.length - acknowledged,
      resumed: this.#resumed,
      slowest: this.#slowest,
      faults: this.#faults,
    }
  }

  async readKept(): Promise<readonly string[]> {
    for (const key of this.#kept.keys()) await this.#read(this.#first, key, true)
    return this.#faults
  }

  async #put(url: string, way: Way, name: string, size: number): Promise<void> {
    const sent = this.#sending(name, size)
    const answer = await this.#timed(`${way} of ${name}`, upload(url, way, sent.key, sent.bytes))
    sent.acknowledged = answer !== null && answer.status === 201
    if (answer !== null && !sent.acknowledged) this.#refuse(`${way} of ${name}`, answer.status)
  }

  #sending(name: string, size: number): Sent {
    const sent = { key: `${name}-${this.#name}`, bytes: randomBytes(size), acknowledged: false }
    this.#sent.push(sent)
    return sent
  }

  #refuse(what: string, status: number): void {
    if (!REFUSALS.includes(status)) this.#faults.push(`${what} was answered with ${status}`)
  }

  async #resumable(url: string): Promise<void> {
    const sent = this.#sending('resumable', LARGE)
    const headers = {
      'Upload-Complete': '?0',
      'Content-Disposition': `attachment; filename="${sent.key}"`,
      'Content-Type': 'application/octet-stream',
    }
    const begun = await this.#timed('creation', fetch(`${url}/video`, { method: 'POST', headers }))
    if (begun === null) return
    await begun.arrayBuffer().catch(() => {})
    if (begun.status !== 201) return this.#refuse('creation', begun.status)
    this.#location = begun.headers.get('Location')
    await this.#append(url, 0, sent)
  }

  async #append(url: string, offset: number, sent: Sent): Promise<void> {
    const headers = {
      'Content-Type': 'application/partial-upload',
      'Upload-Offset': String(offset),
      'Upload-Complete': '?1',
    }
    const body = new Uint8Array(sent.bytes.subarray(offset))
    const target = new URL(this.#location ?? '', url)
    const done = await this.#timed('append', fetch(target, { method: 'PATCH', headers, body }))
    await done?.arrayBuffer().catch(() => {})
    if (done?.status === 201) sent.acknowledged = true
    else if (done !== null) this.#refuse('append', done.status)
  }

  /** Through the other server, as a client does that wants its upload done. */
  async #resume(): Promise<void> {
    const sent = this.#sent.find(({ key }) => key.startsWith('resumable'))
    if (sent === undefined || sent.acknowledged || this.#location === null) return
    for (const until = Date.now() + DEADLINE; Date.now() < until; await delay(PAUSE)) {
      const asked = await this.#timed('HEAD', fetch(new URL(this.#location, this.#first), { method: 'HEAD' }))
      if (asked === null || REFUSALS.includes(asked.status)) continue
      if (asked.status !== 204) return void this.#faults.push(`HEAD was answered with ${asked.status}`)
      if (asked.headers.get('Upload-Complete') === '?1') sent.acknowledged = true
      else await this.#append(this.#first, Number(asked.headers.get('Upload-Offset')), sent)
      if (!sent.acknowledged) continue
      this.#resumed++
      return
    }
    this.#faults.push('an upload that was begun cannot be finished')
  }

  /** Whole where it was acknowledged; else whole or not there. Only the small one stays. */
  async #judge({ key, bytes, acknowledged }: Sent): Promise<void> {
    const digest = sha256(bytes)
    const response = await fetch(`${this.#first}/videos/${key}`)
    const found = sha256(new Uint8Array(await response.arrayBuffer()))
    if (response.status === 200 && found !== digest) this.#faults.push(`${key} is torn`)
    if (response.status !== 200 && acknowledged) this.#faults.push(`${key} is lost: ${response.status}`)
    if (response.status !== 200) return
    if (key.startsWith('small')) this.#kept.set(key, digest)
    else await fetch(`${this.#first}/videos/${key}`, { method: 'DELETE' })
  }

  async #read(url: string, key: string, mustBeThere = false): Promise<void> {
    const read = async () => {
      const response = await fetch(`${url}/videos/${key}`)
      return { status: response.status, digest: sha256(new Uint8Array(await response.arrayBuffer())) }
    }
    const found = await this.#timed('read', read())
    if (found?.status === 200 && found.digest !== this.#kept.get(key))
      this.#faults.push(`${key} is read torn`)
    else if (mustBeThere && found?.status !== 200)
      this.#faults.push(`${key} is lost in the end: ${found?.status}`)
    else if (found !== null && found.status !== 200) this.#refuse(`read of ${key}`, found.status)
  }

  /** `null` where the connection was cut; one that is neither answered nor ended is a fault. */
  async #timed<T>(what: string, request: Promise<T>): Promise<T | null> {
    const start = performance.now()
    const late = new AbortController()
    const lateness = delay(DEADLINE, 'late' as const, { signal: late.signal }).catch(() => null)
    const outcome = await Promise.race([request.catch(() => null), lateness])
    late.abort()
    this.#slowest = Math.max(this.#slowest, performance.now() - start)
    if (outcome !== 'late') return outcome
    this.#faults.push(`${what} was neither answered nor ended in ${DEADLINE / 1000} s`)
    return null
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
