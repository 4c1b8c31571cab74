import { closeSync } from 'node:fs'
import type { Awaitable, Read } from './file-system.ts'
import { LruMap } from './lru-map.ts'

const MAX_DESCRIPTORS = 256

/** How long an unused descriptor stays open, up to twice as long, in ms: only then is the space of a deleted file free. */
const IDLE = 500

interface State {
  readonly cache: LruMap<string, Descriptor>
  timer: NodeJS.Timeout | undefined
}

/** The ESM and the CommonJS build share it, so that a process keeps one cache; the number changes with its form. */
const STATE: unique symbol = Symbol.for('koa-range-stream/descriptors/1')
const host: typeof globalThis & { [STATE]?: State } = globalThis
host[STATE] ??= { cache: new LruMap(MAX_DESCRIPTORS), timer: undefined }
const state: State = host[STATE]
const { cache } = state

/** An open file that several readers share; each calls `release` once. */
export class Descriptor {
  readonly #identity: string
  readonly #fd: number
  readonly #read: Read
  #readers = 0
  #isCached = true
  #isIdle = false

  constructor(identity: string, fd: number, read: Read) {
    this.#identity = identity
    this.#fd = fd
    this.#read = read
  }

  /** Call between `acquire` and `release`. */
  read(buffer: Buffer, at: number, length: number, position: number): Awaitable<number> {
    return this.#read(this.#fd, buffer, at, length, position)
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

  #closeUnused(): void {
    if (this.#readers === 0 && !this.#isCached) closeSync(this.#fd)
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
export function acquireOpened(identity: string, fd: number, read: Read): Descriptor {
  const other = acquire(identity)
  if (other !== null) {
    closeSync(fd)
    return other
  }
  const descriptor = new Descriptor(identity, fd, read).acquire()
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
