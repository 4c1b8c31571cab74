import { lstatSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { StoreError } from '../../contract/store-error.ts'
import type { DamageReporter } from '../../session/damage.ts'
import { RANDOM_ID } from '../../values/random-id.ts'
import type { Layout } from '../disk/layout.ts'
import { isDead, ownOwner } from './owner.ts'
import { idOf, OwnerFile, ownerOf, readOwner, removeFile } from './owner-file.ts'

const FIRST_WAIT = 2
const LONGEST_WAIT = 20
/** How long to wait for a lock, in ms. Work under a lock takes a few syncs; a holder that takes longer is stopped or stuck. */
const PATIENCE = 30_000
/** How long requests do not wait for a lock that was not released in time, in ms. */
const STUCK_TIME = 5000

export interface AcquireOptions {
  /** How long to wait for the lock, in ms (30 s). */
  readonly patience?: number
  /** Called before each further try; what it throws ends the waiting. */
  readonly proceed?: () => void
}

export interface Lock {
  /** Whether everybody who held it before is known to be gone, and not only silent. */
  readonly proven: boolean
  release(): void
}

interface Claim {
  readonly path: string
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
 * Locks between the processes that share a store. A lock is a hard link to its owner's file, made in one exclusive call.
 *
 * A dead owner's link is never replaced, since two that saw it dead could replace each other's. Who comes next makes the
 * link that succeeds it instead, `<random of the dead>.<name>.next`, which is exclusive; it holds the lock if the chain
 * still is as it was seen. The dead make no links any more, so no chain is ever taken for another.
 */
export class Locks {
  readonly #layout: Layout
  readonly #ownerTimeout: number
  readonly #owner: OwnerFile
  readonly #damage: DamageReporter
  /** Locks that were not released in time, and when that was. */
  readonly #stuck = new Map<string, number>()
  #count = 0
  #heartbeat: NodeJS.Timeout | undefined

  /** @param ownerTimeout ms without a sign of life after which an owner that cannot be seen counts as gone */
  constructor(layout: Layout, ownerTimeout: number, damage: DamageReporter) {
    this.#layout = layout
    this.#ownerTimeout = ownerTimeout
    this.#damage = damage
    this.#owner = new OwnerFile(layout.owners, ownerTimeout / 4)
  }

  /**
   * Waits until this process holds the lock. If others have just waited in vain, does not wait: requests for one upload run
   * one after the other, and each would add its own wait to that of the next.
   *
   * @throws StoreError UNAVAILABLE if the holder does not release the lock in time
   */
  async acquire(name: string, { patience = PATIENCE, proceed }: AcquireOptions = {}): Promise<Lock> {
    const deadline = performance.now() + (this.#isStuck(name) ? -1 : patience)
    for (let delay = FIRST_WAIT; ; delay = Math.min(delay * 2, LONGEST_WAIT)) {
      const lock = this.tryAcquire(name)
      if (lock !== null) {
        this.#stuck.delete(name)
        return lock
      }
      if (performance.now() > deadline) throw this.#giveUp(name)
      await wait(delay)
      proceed?.()
    }
  }

  #isStuck(name: string): boolean {
    for (const [each, since] of this.#stuck) {
      if (performance.now() - since >= STUCK_TIME) this.#stuck.delete(each)
    }
    return this.#stuck.has(name)
  }

  #giveUp(name: string): StoreError {
    if (!this.#stuck.has(name)) this.#stuck.set(name, performance.now())
    return new StoreError(
      'UNAVAILABLE',
      'Another process uses this upload or key and does not respond; try again later.',
    )
  }

  /** The lock, or `null` while somebody holds it that is not known to be gone. */
  tryAcquire(name: string): Lock | null {
    const base = this.#layout.lock(name)
    if (held.has(base)) return null
    const dead: Claim[] = []
    let path = base
    for (;;) {
      const made = this.#owner.linkTo(path)
      if (made === 'made') return this.#settle(base, dead, { path, text: this.#owner.text })
      if (made === 'unsupported') return this.#hold(base, [])
      const found = readOwner(path)
      // It was released in between, and with it perhaps the whole chain.
      if (found === null || !this.#isDead(path, found)) return null
      dead.push({ path, text: found })
      path = this.#layout.next(`${idOf(found)}.${name}`)
    }
  }

  /** The names of the locks of this directory that this thread holds. */
  heldHere(): readonly string[] {
    const mine = [...held].filter((path) => dirname(path) === this.#layout.staging)
    return mine.map((path) => basename(path, '.lock'))
  }

  #settle(base: string, dead: readonly Claim[], own: Claim): Lock | null {
    if (isUnchanged(dead)) return this.#hold(base, [...dead, own])
    removeFile(own.path)
    return null
  }

  #hold(base: string, links: readonly Claim[]): Lock {
    held.add(base)
    this.#count++
    this.#beat()
    let released = false
    return {
      proven: links
        .slice(0, -1)
        .every(({ text }) => ownerOf(text) === ownOwner() || isDead(ownerOf(text)) === true),
      release: () => {
        // The same name may be somebody else's lock by now.
        if (released) return
        released = true
        this.#count--
        // First the one that newcomers try first: by the time they find it free nobody holds the rest.
        // Those that are still as they were: whoever could not see us may have taken over.
        for (const link of links) if (isUnchanged([link])) removeFile(link.path)
        held.delete(base)
      },
    }
  }

  #isDead(path: string, text: string): boolean {
    const owner = ownerOf(text)
    // One of our own that could not be removed when it was released: it is not held.
    if (owner === ownOwner()) return true
    return isDead(owner) ?? fileAge(path) >= this.#ownerTimeout
  }

  /** While locks are held, those who cannot see this process see their time grow no older. */
  #beat(): void {
    this.#heartbeat ??= setInterval(
      () => {
        if (this.#count > 0) {
          this.#owner.touch()
          return
        }
        clearInterval(this.#heartbeat)
        this.#heartbeat = undefined
      },
      Math.max(this.#ownerTimeout / 4, 1000),
    ).unref()
  }

  /** Removes a link that succeeded one that is no more where its own owner is gone; whether it did. */
  removeStaleNext(path: string): boolean {
    const text = readOwner(path)
    if (text === null || !this.#isDead(path, text)) return false
    removeFile(path)
    return true
  }

  /** Removes the files of owners that are gone and whose locks are. */
  removeDeadOwners(): void {
    for (const entry of readdirSync(this.#layout.owners, { withFileTypes: true })) {
      const path = join(this.#layout.owners, entry.name)
      if (!entry.isFile() || !RANDOM_ID.test(entry.name)) {
        this.#damage.report(path, 'It is not a file of the store.')
        continue
      }
      const text = readOwner(path)
      if (text === null || ownerOf(text) === ownOwner() || !this.#isDead(path, text)) continue
      if (lstatSync(path, { throwIfNoEntry: false })?.nlink === 1) removeFile(path)
    }
  }

  /** Leaves nothing behind; what is locked afterwards makes a new file. */
  close(): void {
    this.#owner.remove()
  }
}

/** The random part of what the lock at `path` says, or `null`. */
export function lockId(path: string): string | null {
  const text = readOwner(path)
  return text === null ? null : idOf(text)
}

function isUnchanged(claims: readonly Claim[]): boolean {
  try {
    return claims.every(({ path, text }) => readOwner(path) === text)
  } catch {
    return false
  }
}

/** ms since the owner's last sign of life. A lock is a regular file, so anything else in its place has no owner. */
function fileAge(path: string): number {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return 0
  return stats.isFile() ? Date.now() - stats.mtimeMs : Number.POSITIVE_INFINITY
}
