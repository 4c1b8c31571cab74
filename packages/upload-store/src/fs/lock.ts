import { randomBytes } from 'node:crypto'
import { lstatSync, lutimesSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { StoreError } from '../store-error.ts'
import { hasCode } from './files.ts'
import type { Layout } from './layout.ts'
import { isGone, type Owner, ownOwner } from './owner.ts'

const FIRST_WAIT = 2
const LONGEST_WAIT = 20
/** What is done under a lock takes a few syncs of the disk; who holds it longer is stopped or stuck. */
const PATIENCE = 30_000

/** Systems without symbolic links, or that keep them from us: one process a directory, then. */
const NO_SYMLINKS = ['EPERM', 'EACCES', 'ENOSYS', 'ENOTSUP']

export interface Lock {
  release(): void
}

interface Claim {
  readonly path: string
  /** `<random>:<owner>`: what the symbolic link says. */
  readonly text: string
}

/** The paths of the locks that this thread holds, over all its stores and all copies of this package. */
const held: Set<string> = sharedInThread('upload-store: locks held')

function sharedInThread(name: string): Set<string> {
  const symbol = Symbol.for(name)
  const found: unknown = Reflect.get(globalThis, symbol)
  if (found instanceof Set) return found
  const made = new Set<string>()
  Reflect.set(globalThis, symbol, made)
  return made
}

/**
 * Locks between the processes that share a store. A lock is a symbolic link whose target names its owner: made and
 * written in one exclusive call, which no other call of Node's is.
 *
 * A dead owner's link is never replaced, since two that saw it dead could replace each other's. Who comes next makes the
 * link that succeeds it instead, `<random of the dead>.next`, which is exclusive and used once; it holds the lock if the
 * chain still is as it was seen.
 */
export class Locks {
  readonly #layout: Layout
  readonly #gracePeriod: number
  /** The links that the heartbeat touches. */
  readonly #links = new Set<string>()
  #heartbeat: NodeJS.Timeout | undefined

  /** @param gracePeriod ms without a sign of life after which an owner that cannot be seen counts as gone */
  constructor(layout: Layout, gracePeriod: number) {
    this.#layout = layout
    this.#gracePeriod = gracePeriod
  }

  /**
   * Waits until this process holds the lock.
   *
   * @param goOn called before each further try; what it throws ends the waiting
   * @throws StoreError ABORTED where its owner does not let go
   */
  async acquire(name: string, goOn: () => void = () => {}): Promise<Lock> {
    const deadline = performance.now() + PATIENCE
    for (let delay = FIRST_WAIT; ; delay = Math.min(delay * 2, LONGEST_WAIT)) {
      const lock = this.tryAcquire(name)
      if (lock !== null) return lock
      if (performance.now() > deadline) {
        throw new StoreError('ABORTED', 'Another process holds on to this upload or key; try again later.')
      }
      await wait(delay)
      goOn()
    }
  }

  /** The lock, or `null` while somebody holds it that is not known to be gone. */
  tryAcquire(name: string): Lock | null {
    const base = this.#layout.lock(name)
    if (held.has(base)) return null
    const dead: Claim[] = []
    let path = base
    for (;;) {
      const text = `${randomBytes(16).toString('base64url')}:${ownOwner()}`
      const made = makeLink(text, path)
      if (made === 'made') return this.#settle(base, dead, { path, text })
      if (made === 'unsupported') return this.#hold(base, [])
      const found = readLink(path)
      // It was released in between, and with it perhaps the whole chain.
      if (found === null || !this.#isDead(path, found)) return null
      dead.push({ path, text: found })
      path = this.#layout.next(idOf(found))
    }
  }

  /** The names of the locks of this directory that this thread holds. */
  heldHere(): readonly string[] {
    const mine = [...held].filter((path) => path.startsWith(this.#layout.staging))
    return mine.map((path) => basename(path, '.lock'))
  }

  #settle(base: string, dead: readonly Claim[], claim: Claim): Lock | null {
    const links = [...dead, claim].map(({ path }) => path)
    if (isUnchanged(dead)) return this.#hold(base, links)
    removeLink(claim.path)
    return null
  }

  #hold(base: string, links: readonly string[]): Lock {
    const own = links.at(-1)
    held.add(base)
    if (own !== undefined) this.#beat(own)
    let released = false
    return {
      release: () => {
        // The same name may be somebody else's lock by now.
        if (released) return
        released = true
        if (own !== undefined) this.#links.delete(own)
        // First the one that newcomers try first: by the time they find it free nobody holds the rest.
        for (const link of links) removeLink(link)
        held.delete(base)
      },
    }
  }

  #isDead(path: string, text: string): boolean {
    const owner = ownerOf(text)
    // One of our own that could not be removed when it was released: it is not held.
    if (owner === ownOwner()) return true
    return isGone(owner) ?? ageOf(path) >= this.#gracePeriod
  }

  /** Those who cannot see this process see its links grow no older. */
  #beat(path: string): void {
    this.#links.add(path)
    this.#heartbeat ??= setInterval(
      () => {
        const now = new Date()
        for (const each of this.#links) touchLink(each, now)
        if (this.#links.size > 0) return
        clearInterval(this.#heartbeat)
        this.#heartbeat = undefined
      },
      Math.max(this.#gracePeriod / 4, 1000),
    ).unref()
  }

  /** Removes a link that succeeded one that is no more where its own owner is gone; whether it did. */
  removeStaleNext(path: string): boolean {
    const text = readLink(path)
    if (text === null || !this.#isDead(path, text)) return false
    removeLink(path)
    return true
  }
}

/** The random part of what the link at `path` says, or `null`. */
export function lockId(path: string): string | null {
  const text = readLink(path)
  return text === null ? null : idOf(text)
}

function isUnchanged(claims: readonly Claim[]): boolean {
  try {
    return claims.every(({ path, text }) => readLink(path) === text)
  } catch {
    return false
  }
}

const idOf = (text: string): string => text.slice(0, text.indexOf(':'))
const ownerOf = (text: string): Owner => text.slice(text.indexOf(':') + 1)

export function makeLink(text: string, path: string): 'made' | 'exists' | 'unsupported' {
  try {
    symlinkSync(text, path)
    return 'made'
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return 'exists'
    if (hasCode(error, ...NO_SYMLINKS)) return 'unsupported'
    throw error
  }
}

export function readLink(path: string): string | null {
  try {
    return readlinkSync(path)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    // A plain file, which somebody's copying has made of a link: of an owner that nobody can see.
    if (hasCode(error, 'EINVAL')) return ''
    throw error
  }
}

export function removeLink(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Gone already, or left for sweep: its owner will not be alive for ever.
  }
}

/** ms since the owner's last sign of life. */
function ageOf(path: string): number {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  return stats === undefined ? 0 : Date.now() - stats.mtimeMs
}

function touchLink(path: string, time: Date): void {
  try {
    lutimesSync(path, time, time)
  } catch {
    // Released in this moment.
  }
}
