import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Counter } from './watchers.ts'
import type { Call } from './wrapper.ts'

/** Rules that the store's code relies on, checked after each call of a run that is not disturbed. */
export class InvariantWatcher extends Counter {
  readonly #directory: string
  readonly #onFault: (text: string) => void
  /** The digest of each blob when a record first named it. */
  readonly #digests = new Map<string, string>()
  /** Uploads whose commit happened before the run. */
  readonly #settled = new Set<string>()

  constructor(directory: string, onFault: (text: string) => void) {
    super()
    this.#directory = directory
    this.#onFault = onFault
    this.#changedBlobs()
    for (const id of this.#uploadsWithoutPart()) this.#settled.add(id)
  }

  after({ number, step }: Call): void {
    const texts = [...this.#changedBlobs(), ...this.#missingParts()]
    for (const text of texts) this.#onFault(`after call ${number}, in the step ${step}: ${text}`)
  }

  /** The file that `immutableFile` names never changes, and is never another file's. */
  #changedBlobs(): string[] {
    const changed: string[] = []
    for (const blob of this.#blobsInRecords()) {
      const path = join(this.#directory, 'blobs', shardOf(this.#directory, 'blobs', blob), blob)
      if (!existsSync(path)) continue
      const digest = createHash('sha256').update(readFileSync(path)).digest('hex')
      const first = this.#digests.get(blob) ?? digest
      this.#digests.set(blob, first)
      if (first !== digest) changed.push(`the bytes of blob ${blob} have changed`)
    }
    return changed
  }

  /** Without a part a commit has happened: the part is removed only after a record has named the blob. */
  #missingParts(): string[] {
    const missing = [...this.#uploadsWithoutPart()].filter((id) => !this.#settled.has(id))
    return missing.map((id) => `the part of upload ${id} was removed before a record named its blob`)
  }

  /** Uploads that announce a commit, and have neither a part nor a blob that a record named. */
  #uploadsWithoutPart(): string[] {
    const staging = join(this.#directory, 'staging')
    const ids = names(staging).flatMap((name) => /^([\w-]{22})\.json$/.exec(name)?.[1] ?? [])
    return ids.filter((id) => {
      const blob = blobIn(join(staging, `${id}.json`))
      return blob !== undefined && !existsSync(join(staging, `${id}.part`)) && !this.#digests.has(blob)
    })
  }

  #blobsInRecords(): string[] {
    const records = join(this.#directory, 'records')
    const paths = names(records).flatMap((shard) =>
      names(join(records, shard)).map((name) => join(records, shard, name)),
    )
    return paths.flatMap((path) => blobIn(path) ?? [])
  }
}

function blobIn(path: string): string | undefined {
  try {
    return /"blob":"([\w-]{22})"/.exec(readFileSync(path, 'utf8'))?.[1]
  } catch {
    return undefined
  }
}

function shardOf(directory: string, kind: string, name: string): string {
  const shards = names(join(directory, kind))
  return shards.find((shard) => existsSync(join(directory, kind, shard, name))) ?? ''
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
