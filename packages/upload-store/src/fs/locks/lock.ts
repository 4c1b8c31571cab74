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
/** How long to wait for a lock, in ms. Work under a lock takes a few syncs, so a slower holder is stopped or stuck. */
const PATIENCE = 30_000
/** How long requests fail at once after a lock was not released in time, in ms. */
const STUCK_TIME = 5000

export interface AcquireOptions {
  /** How long to wait for the lock, in ms (30 s). */
  readonly patience?: number
  /** Called before each further attempt. An error that it throws ends the wait. */
  readonly proceed?: () => void
}

/** The right to files that bear the name of an owner, and that other processes remove if they see that it is dead. */
export interface Ownership {
  /** The name of the owner file. */
  readonly owner: string
  release(): void
}

export interface Lock {
  /** Whether all previous holders are known to be dead, and not only silent. */
  readonly proven: boolean
  release(): void
}

interface Claim {
  readonly path: string
  readonly text: string
}

/** The paths of the locks that this thread holds, in all its stores and all copies of this package. */
const held: Set<string> = sharedInThread('upload-store: locks held')

/** The names of the owner files of this thread's open stores. */
const owners: Set<string> = sharedInThread('upload-store: owners')

function sharedInThread(name: string): Set<string> {
  const symbol = Symbol.for(name)
  const found: unknown = Reflect.get(globalThis, symbol)
  if (found instanceof Set) return found
  const made = new Set<string>()
  Reflect.set(globalThis, symbol, made)
  return made
}

/**
 * Locks between the processes that share a store. A lock is a hard link to its owner's file, made in one exclusive
 * call.
 *
 * A dead owner's link is never replaced, because two processes that saw it dead could replace each other's. The next
 * process instead makes the link `<random of the dead>.<name>.next`, which is exclusive. It holds the lock if the chain
 * of links has not changed. Dead owners make no links, so no chain is ever mistaken for another.
 */
export class Locks {
  readonly #layout: Layout
  readonly #ownerTimeout: number
  readonly #owner: OwnerFile
  readonly #damage: DamageReporter
  /** The locks that were not released in time, with the time of the failed wait. */
  readonly #stuck = new Map<string, number>()
  #count = 0
  #heartbeat: NodeJS.Timeout | undefined

  /** @param ownerTimeout ms without a sign of life after which an owner that cannot be seen counts as dead */
  constructor(layout: Layout, ownerTimeout: number, damage: DamageReporter) {
    this.#layout = layout
    this.#ownerTimeout = ownerTimeout
    this.#damage = damage
    this.#owner = new OwnerFile(layout.owners, ownerTimeout / 4)
  }

  /**
   * Waits until this process holds the lock. Fails at once if another wait for it has just timed out: requests for one
   * upload run one after the other, and each would add its own wait to that of the next.
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
      'Another process uses this upload or key and does not respond. Try again later.',
    )
  }

  /** Returns the lock, or `null` if another owner holds it and is not known to be dead. */
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
      // The lock was released in between, perhaps with the whole chain.
      if (found === null || !this.#isDead(path, found)) return null
      dead.push({ path, text: found })
      path = this.#layout.next(`${idOf(found)}.${name}`)
    }
  }

  /** Shows other processes that files with the returned name are in use, until they are released. */
  own(): Ownership {
    this.#owner.ensure()
    owners.add(this.#owner.name)
    this.#count++
    this.#beat()
    let released = false
    const release = () => {
      if (!released) this.#count--
      released = true
    }
    return { owner: this.#owner.name, release }
  }

  /** Whether the owner with a file of this name is gone. */
  isGone(owner: string): boolean {
    const path = join(this.#layout.owners, owner)
    const text = readOwner(path)
    if (text === null) return true
    return ownerOf(text) === ownOwner() ? !owners.has(owner) : this.#isDead(path, text)
  }

  /** Whether no lock of this name exists. The next call may find another answer. */
  isFree(name: string): boolean {
    const path = this.#layout.lock(name)
    return !held.has(path) && lstatSync(path, { throwIfNoEntry: false }) === undefined
  }

  /** Returns the names of the locks in this store that this thread holds. */
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
        // Another owner may hold a lock of this name by now.
        if (released) return
        released = true
        this.#count--
        // Removes the first link first. Other processes try it first, and this thread no longer holds the others when they
        // find it free. Removes unchanged links only, because a process that could not see this one may have taken over.
        for (const link of links)
          if (this.#owner.isLink(link.path) || isUnchanged([link])) removeFile(link.path)
        held.delete(base)
      },
    }
  }

  #isDead(path: string, text: string): boolean {
    const owner = ownerOf(text)
    // A link of this thread that could not be removed at release. It is not held.
    if (owner === ownOwner()) return true
    return isDead(owner) ?? fileAge(path) >= this.#ownerTimeout
  }

  /**
   * Renews the owner file's time while locks are held, so that processes that cannot see this one do not consider it
   * dead.
   */
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

  /** Removes a link that succeeds a removed link, if its own owner is dead. Returns whether it did. */
  removeStaleNext(path: string): boolean {
    const text = readOwner(path)
    if (text === null || !this.#isDead(path, text)) return false
    removeFile(path)
    return true
  }

  /** Removes the files of dead owners that hold no locks. */
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

  /** Removes the owner file. A later lock makes a new one. */
  close(): void {
    owners.delete(this.#owner.name)
    this.#owner.remove()
  }
}

/** Returns the random part of the lock's text, or `null` if the lock does not exist. */
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

/**
 * Returns ms since the owner's last sign of life. A lock is a regular file, so any other entry in its place has no
 * owner.
 */
function fileAge(path: string): number {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return 0
  return stats.isFile() ? Date.now() - stats.mtimeMs : Number.POSITIVE_INFINITY
}
