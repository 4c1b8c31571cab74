import { readdirSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { hasCode } from './files.ts'
import { shareScans } from './share-scans.ts'

/** A directory that changed so recently may change once more without another time of change: clocks of file systems tick. */
const UNSETTLED = 50
/** The same where times have no fractions. */
const UNSETTLED_SECONDS = 2000
/** How long the event loop may wait for us, in ms. */
const TURN = 4

const SHARD = /^[\da-f]{2}$/

interface Shard<T> {
  /** Time of change as nanoseconds, or `null` where it must be read again. */
  readonly changed: bigint | null
  readonly entries: ReadonlyMap<string, T>
}

export interface ShardedNamesOptions<T> {
  readonly directory: string
  /** Which names count. */
  readonly pattern: RegExp
  /** What a name stands for, which never changes; `undefined` where it stands for nothing now. */
  load(path: string): T | undefined
  onAdd(value: T): void
  onRemove(value: T): void
}

/**
 * Knows all names of a directory of shards, whoever writes there: a refresh costs one stat a shard, and reads only shards
 * that changed and names that are new. For local file systems, whose times of change can be relied on.
 */
export class ShardedNames<T> {
  /** Resolves when everything that happened before the call is known. */
  readonly refresh: () => Promise<void>
  readonly #options: ShardedNamesOptions<T>
  readonly #shards = new Map<string, Shard<T>>()
  /** When this last gave way to others. */
  #turn = 0

  constructor(options: ShardedNamesOptions<T>) {
    this.#options = options
    this.refresh = shareScans(() => this.#refresh())
  }

  async #refresh(): Promise<void> {
    for (const name of readdirSync(this.#options.directory)) {
      if (!SHARD.test(name)) continue
      const path = join(this.#options.directory, name)
      const before = this.#shards.get(name)
      const now = Date.now()
      const changed = timeOfChange(path)
      if (before?.changed != null && before.changed === changed) continue
      // Read after its time of change: what changes meanwhile changes that, and is seen at the next refresh.
      const entries = await this.#read(path, before?.entries)
      this.#replace(name, { changed: isSettled(changed, now) ? changed : null, entries })
    }
  }

  async #read(path: string, known: ReadonlyMap<string, T> | undefined): Promise<ReadonlyMap<string, T>> {
    const entries = new Map<string, T>()
    for (const name of namesIn(path)) {
      if (!this.#options.pattern.test(name)) continue
      const value = known?.get(name) ?? this.#options.load(join(path, name))
      if (value !== undefined) entries.set(name, value)
      await this.#breathe()
    }
    return entries
  }

  /** A first refresh may read 100,000 files; nobody else has to wait for that. */
  #breathe(): Promise<void> | undefined {
    if (performance.now() - this.#turn < TURN) return undefined
    return nextTurn().then(() => {
      this.#turn = performance.now()
    })
  }

  #replace(name: string, shard: Shard<T>): void {
    const before = this.#shards.get(name)?.entries ?? new Map<string, T>()
    this.#shards.set(name, shard)
    for (const [entry, value] of before) if (!shard.entries.has(entry)) this.#options.onRemove(value)
    for (const [entry, value] of shard.entries) if (!before.has(entry)) this.#options.onAdd(value)
  }
}

function timeOfChange(path: string): bigint | null {
  // Not mtime, which copying tools set back.
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ctimeNs ?? null
}

/** @param now ms, from before the time of change was read */
function isSettled(changed: bigint | null, now: number): boolean {
  if (changed === null) return false
  const inSeconds = changed % 1_000_000_000n === 0n
  return now - Number(changed / 1_000_000n) > (inSeconds ? UNSETTLED_SECONDS : UNSETTLED)
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path)
  } catch (error) {
    return noneIfGone(error)
  }
}

/** A file of somebody's, or a directory that is gone. */
function noneIfGone(error: unknown): string[] {
  if (hasCode(error, 'ENOTDIR', 'ENOENT')) return []
  throw error
}

/** The paths of all files in a directory of shards, whose names match. */
export async function* namesBelow(directory: string, pattern: RegExp): AsyncGenerator<string> {
  for (const shard of await readdir(directory)) {
    if (!SHARD.test(shard)) continue
    // What a person's tools leave behind, .DS_Store and the like, is none of ours.
    for (const name of await readdir(join(directory, shard)).catch(noneIfGone)) {
      if (pattern.test(name)) yield join(directory, shard, name)
    }
  }
}
