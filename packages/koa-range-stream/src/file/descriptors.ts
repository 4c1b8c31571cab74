import { closeSync, read, readSync } from 'node:fs'
import type { Awaitable, FileSystem } from './file-system.ts'
import { LruMap } from './lru-map.ts'

/** Reads up to `length` bytes from `position` of the file into the buffer at `at`, and returns how many; 0 at the end. */
type Read = (fd: number, buffer: Buffer, at: number, length: number, position: number) => Awaitable<number>

/** Reads on a thread. Handing the read over takes as long as reading 64 KiB that the kernel has in memory. */
const readByThread = (
  fd: number,
  buffer: Buffer,
  at: number,
  length: number,
  position: number,
): Promise<number> =>
  new Promise((resolve, reject) => {
    read(fd, buffer, at, length, position, (error, count) =>
      error === null ? resolve(count) : reject(error),
    )
  })

/** What the kernel has in memory is there after so many ms, and so many more for each byte. */
const SWIFT = 0.1
const SWIFT_PER_BYTE = 1e-6

/** After a read that waited for the disk, threads read for so many times as long: at most 1 % of the time is waited. */
const REST = 100

let threadsUntil = 0

/** Whether a read in the event loop is likely to find its bytes in the memory of the kernel. */
export function mayReadAtOnce(): boolean {
  return performance.now() >= threadsUntil
}

/** Leaves reads to threads for a while if the one that has just ended took longer than bytes in memory do. */
export function noteRead(started: number, count: number): void {
  const ended = performance.now()
  const took = ended - started
  if (took > SWIFT + count * SWIFT_PER_BYTE) threadsUntil = ended + took * REST
}

/** Reads at once as long as the kernel has in memory what is asked for, which only the time taken can show. */
const readSoon: Read = (fd, buffer, at, length, position) => {
  const started = performance.now()
  if (started < threadsUntil) return readByThread(fd, buffer, at, length, position)
  const count = readSync(fd, buffer, at, length, position)
  noteRead(started, count)
  return count
}

export const readers: Readonly<Record<FileSystem['kind'], Read>> = { local: readSoon, network: readByThread }

const MAX_DESCRIPTORS = 256

/** How long an unused descriptor stays open, up to twice as long, in ms: only then is the space of a deleted file free. */
const IDLE = 500

interface State {
  readonly cache: LruMap<string, Descriptor>
  timer: NodeJS.Timeout | undefined
}

/** The ESM and the CommonJS build share it, so that a process keeps one cache; the number changes with its form. */
const STATE: unique symbol = Symbol.for('koa-range-stream/descriptors/3')
const host: typeof globalThis & { [STATE]?: State } = globalThis
host[STATE] ??= { cache: new LruMap(MAX_DESCRIPTORS), timer: undefined }
const state: State = host[STATE]
const { cache } = state

/** An open file that several readers share; each calls `release` once. */
export class Descriptor {
  readonly #identity: string
  /** For calls that end before `release`. */
  readonly fd: number
  readonly #kind: FileSystem['kind']
  #readers = 0
  #isCached = true
  #isIdle = false

  constructor(identity: string, fd: number, kind: FileSystem['kind']) {
    this.#identity = identity
    this.fd = fd
    this.#kind = kind
  }

  /** Whether the file is on a disk of this machine. */
  get isLocal(): boolean {
    return this.#kind === 'local'
  }

  /**
   * Call between `acquire` and `release`.
   *
   * @param kind `network`: read on a thread, because the disk is waited for
   */
  read(
    buffer: Buffer,
    at: number,
    length: number,
    position: number,
    kind: FileSystem['kind'] = this.#kind,
  ): Awaitable<number> {
    const count = readers[kind](this.fd, buffer, at, length, position)
    return typeof count === 'number' ? count : this.#holdFor(count)
  }

  acquire(): this {
    this.#readers++
    this.#isIdle = false
    return this
  }

  release(): void {
    this.#readers--
    this.#closeUnused()
  }

  /** Removes it from the cache; its present readers may finish. */
  evict(): void {
    if (!this.#isCached) return
    this.#isCached = false
    cache.delete(this.#identity)
    this.#closeUnused()
  }

  /** Evicts it if it was unused since the last call, `IDLE` ms ago. */
  evictIdle(): void {
    if (this.#readers > 0) return
    if (this.#isIdle) this.evict()
    this.#isIdle = true
  }

  /**
   * A read in progress is a reader of its own. If the file were closed before it, the kernel could give the number of the
   * descriptor to another file.
   */
  async #holdFor(reading: Promise<number>): Promise<number> {
    this.acquire()
    try {
      return await reading
    } finally {
      this.release()
    }
  }

  #closeUnused(): void {
    if (this.#readers === 0 && !this.#isCached) closeSync(this.fd)
  }
}

/**
 * Returns the cached descriptor of a file, or `null`. It has one more reader then.
 *
 * @param identity a name that no other file can have while this one is open
 */
export function acquire(identity: string): Descriptor | null {
  return cache.get(identity)?.acquire() ?? null
}

/** Adds `fd` to the cache and acquires it. If another request has added the file meanwhile, closes `fd` and acquires that. */
export function acquireOpened(identity: string, fd: number, files: FileSystem): Descriptor {
  const other = acquire(identity)
  if (other !== null) {
    closeSync(fd)
    return other
  }
  const descriptor = new Descriptor(identity, fd, files.kind).acquire()
  const evicted = cache.set(identity, descriptor)
  evicted?.evict()
  state.timer ??= setInterval(evictIdle, IDLE).unref()
  return descriptor
}

/** Closes every descriptor without readers. Call if the process or the system has no descriptors left. */
export function evictAll(): void {
  for (const descriptor of cache.values()) descriptor.evict()
}

function evictIdle(): void {
  for (const descriptor of cache.values()) descriptor.evictIdle()
  if (cache.size > 0) return
  clearInterval(state.timer)
  state.timer = undefined
}
