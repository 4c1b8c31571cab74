import { closeSync } from 'node:fs'
import type { Awaitable } from './awaitable.ts'
import type { Read } from './read.ts'

/** The most descriptors that are kept between requests. */
const MAX_KEPT = 256

/** How long one stays open that nobody uses, up to twice as long, in ms: a deleted file gives its space back only then. */
const IDLE = 500

const kept = new Map<string, Descriptor>()
let timer: NodeJS.Timeout | undefined

/** An open file that several readers share; each calls `release` once. */
export class Descriptor {
  readonly #identity: string
  readonly #fd: number
  readonly #read: Read
  #readers = 0
  #idle = false

  constructor(identity: string, fd: number, read: Read) {
    this.#identity = identity
    this.#fd = fd
    this.#read = read
  }

  /** Between `use` and `release`. */
  read(buffer: Buffer, at: number, length: number, position: number): Awaitable<number> {
    return this.#read(this.#fd, buffer, at, length, position)
  }

  use(): this {
    this.#readers++
    this.#idle = false
    return this
  }

  release(): void {
    this.#readers--
    this.#closeUnused()
  }

  /** Nobody gets it any more; whoever reads it may finish. */
  forget(): void {
    if (kept.get(this.#identity) === this) kept.delete(this.#identity)
    this.#closeUnused()
  }

  /** Called every `IDLE` ms. */
  age(): void {
    if (this.#readers > 0) return
    if (this.#idle) this.forget()
    this.#idle = true
  }

  #closeUnused(): void {
    if (this.#readers === 0 && kept.get(this.#identity) !== this) closeSync(this.#fd)
  }
}

/**
 * The descriptor that is open under `identity`, a name that no other file can have while this one is open, or `null`.
 */
export function borrow(identity: string): Descriptor | null {
  const descriptor = kept.get(identity)
  if (descriptor === undefined) return null
  // The order of the map is the order of use.
  kept.delete(identity)
  kept.set(identity, descriptor)
  return descriptor.use()
}

/** Keeps `fd` for those who come after, and lends it. */
export function keep(identity: string, fd: number, read: Read): Descriptor {
  const other = borrow(identity)
  if (other !== null) {
    // Two requests have opened it at the same time.
    closeSync(fd)
    return other
  }
  const [oldest] = kept.size < MAX_KEPT ? [] : kept.values()
  oldest?.forget()
  const descriptor = new Descriptor(identity, fd, read).use()
  kept.set(identity, descriptor)
  timer ??= setInterval(ageAll, IDLE).unref()
  return descriptor
}

/** Closes what nobody reads now, for whoever has found that there are no more descriptors. */
export function closeIdle(): void {
  for (const descriptor of [...kept.values()]) descriptor.forget()
}

function ageAll(): void {
  for (const descriptor of [...kept.values()]) descriptor.age()
  if (kept.size > 0) return
  clearInterval(timer)
  timer = undefined
}
