import { lstatSync, readdirSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { hasCode } from './files.ts'
import { isSettled } from './is-settled.ts'
import { isUnusable } from './read-entry.ts'
import { shareScans } from './share-scans.ts'

/** How long a scan may block the event loop, in ms. */
const TURN = 4
/**
 * How long the marker is believed without a look at every shard, in ms. Only a change whose writer was killed before it
 * touched the marker, or a change by another program, is noticed so late.
 */
const MARKER_TIME = 1000

const SHARD = /^[\da-f]{2}$/

interface Shard<T> {
  /** The ctime in nanoseconds, or `null` if the shard must be read again. */
  readonly changed: bigint | null
  readonly entries: ReadonlyMap<string, T>
}

export interface ShardedNamesOptions<T> {
  readonly directory: string
  /** A file or directory that each writer touches after a change of a shard; without it, each refresh looks at all shards. */
  readonly marker?: string
  /** Matches the names to track; others are ignored. */
  readonly pattern: RegExp
  /** Returns the value of a name; `undefined` if it has none now. */
  load(path: string): T | undefined
  /** Whether the value is still that of the file, which may have been replaced (always). Called when the shard has changed. */
  isCurrent?(value: T, path: string): boolean
  /** Called for shards and names that cannot be used. */
  onUnusable?(path: string, error: unknown): void
  onAdd(value: T): void
  onRemove(value: T): void
}

/**
 * Tracks all names in a directory of shards, whichever process writes them. A refresh makes one stat per shard, or one of
 * the marker, and reads only changed shards and new names. Requires a local file system, because it relies on ctime.
 */
export class ShardedNames<T> {
  /** Resolves when every change made before the call is known. */
  readonly refresh: () => Promise<void>
  readonly #options: ShardedNamesOptions<T>
  readonly #shards = new Map<string, Shard<T>>()
  /** When this last yielded to the event loop. */
  #turn = 0
  #revision = 0
  /** The marker's ctime before the last look at all shards; `null` if that look has to be repeated. */
  #mark: bigint | null = null
  /** When that look began. */
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(options: ShardedNamesOptions<T>) {
    this.#options = options
    this.refresh = shareScans(() => this.#refresh())
  }

  /** Changes whenever a refresh finds that a shard may have changed. */
  get revision(): number {
    return this.#revision
  }

  async #refresh(): Promise<void> {
    const { marker } = this.#options
    const [startedAt, now] = [performance.now(), Date.now()]
    const mark = marker === undefined ? null : timeOfChange(marker)
    if (mark !== null && mark === this.#mark && startedAt - this.#lookedAt < MARKER_TIME) return
    this.#mark = null
    const isSure = await this.#look()
    if (!isSure || mark === null || !isSettled(mark, now)) return
    this.#mark = mark
    this.#lookedAt = startedAt
  }

  /** Looks at all shards. Returns whether each is known as it is until its ctime changes. */
  async #look(): Promise<boolean> {
    let isSure = true
    for (const name of readdirSync(this.#options.directory)) {
      if (!SHARD.test(name)) continue
      const path = join(this.#options.directory, name)
      const before = this.#shards.get(name)
      const now = Date.now()
      const changed = timeOfChange(path)
      if (before?.changed != null && before.changed === changed) continue
      // Read after its ctime: a change during the read updates the ctime, and the next refresh sees it.
      this.#revision++
      const { entries, isComplete } = await this.#read(path, before?.entries)
      const keeps = isComplete && changed !== null && isSettled(changed, now)
      if (!keeps) isSure = false
      this.#replace(name, { changed: keeps ? changed : null, entries })
    }
    return isSure
  }

  /**
   * Returns the shard's entries. `isComplete` is true if every name has its value; otherwise the shard must be read
   * again, because repairing a file in place does not change its directory.
   */
  async #read(
    path: string,
    known: ReadonlyMap<string, T> | undefined,
  ): Promise<{ readonly entries: ReadonlyMap<string, T>; readonly isComplete: boolean }> {
    const entries = new Map<string, T>()
    const names = this.#attempt(path, () => readdirSync(path))
    let isComplete = names !== undefined
    for (const name of names ?? []) {
      if (!this.#options.pattern.test(name)) continue
      const file = join(path, name)
      const value = this.#attempt(file, () => this.#known(known?.get(name), file) ?? this.#options.load(file))
      if (value === undefined) isComplete = false
      else entries.set(name, value)
      await this.#breathe()
    }
    return { entries, isComplete }
  }

  /** Returns `value` if it is still that of the file. */
  #known(value: T | undefined, file: string): T | undefined {
    const { isCurrent } = this.#options
    return value === undefined || isCurrent === undefined || isCurrent(value, file) ? value : undefined
  }

  /** Returns the result of `task`, or `undefined` if the entry at `path` cannot be used or is gone. */
  #attempt<R>(path: string, task: () => R): R | undefined {
    try {
      return task()
    } catch (error) {
      if (isUnusable(error) || isDangling(path, error)) this.#options.onUnusable?.(path, error)
      else if (!hasCode(error, 'ENOENT')) throw error
      return undefined
    }
  }

  /** Yields to the event loop now and then, because a first refresh may read 100,000 files. */
  #breathe(): Promise<void> | undefined {
    if (performance.now() - this.#turn < TURN) return undefined
    return nextTurn().then(() => {
      this.#turn = performance.now()
    })
  }

  #replace(name: string, shard: Shard<T>): void {
    const before = this.#shards.get(name)?.entries ?? new Map<string, T>()
    this.#shards.set(name, shard)
    for (const [entry, value] of before)
      if (!Object.is(shard.entries.get(entry), value)) this.#options.onRemove(value)
    for (const [entry, value] of shard.entries)
      if (!Object.is(before.get(entry), value)) this.#options.onAdd(value)
  }
}

function timeOfChange(path: string): bigint | null {
  try {
    // Not mtime, which tools that copy files set to an older time.
    return statSync(path, { bigint: true, throwIfNoEntry: false })?.ctimeNs ?? null
  } catch (error) {
    if (isUnusable(error)) return null
    throw error
  }
}

/** Whether `path` is a symbolic link whose target is missing. */
function isDangling(path: string, error: unknown): boolean {
  return hasCode(error, 'ENOENT') && lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/**
 * Yields the paths of all files in a directory of shards whose names match. Ignores other names, such as .DS_Store,
 * which file managers leave.
 *
 * @param onUnusable called with each shard that cannot be read
 */
export async function* namesBelow(
  directory: string,
  pattern: RegExp,
  onUnusable: (shard: string, error: unknown) => void,
): AsyncGenerator<string> {
  for (const shard of await readdir(directory)) {
    if (!SHARD.test(shard)) continue
    const path = join(directory, shard)
    const names = await readdir(path).catch((error: unknown) => {
      if (isUnusable(error) || isDangling(path, error)) onUnusable(path, error)
      else if (!hasCode(error, 'ENOENT')) throw error
      return []
    })
    for (const name of names) if (pattern.test(name)) yield join(path, name)
  }
}
