import { statSync } from 'node:fs'
import { readdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { RANDOM_ID } from '../random-id.ts'
import { StoreError } from '../store-error.ts'
import type { Layout } from './layout.ts'
import { ShardedNames } from './shards.ts'

const MEBIBYTE = 1024 ** 2
const GIBIBYTE = 1024 ** 3
/** What stays free: everything else on the file system needs some, and so do records and directories. */
const FLOOR_SHARE = 0.05
const MAX_FLOOR_BYTES = GIBIBYTE
const MAX_FLOOR_FILES = 10_000
/** How far an upload that is larger than expected goes before space is looked at again, at the most. */
const MAX_STRIDE = 64 * MEBIBYTE

const MAX_EXPECTED = 2 ** 50

/** Space set aside for one upload. */
export interface Reservation {
  /** @throws StoreError NO_SPACE where it would not fit */
  check(): Promise<void>
  /** Tells that so many bytes more are about to be written. Returns a promise only where it has to be waited for. */
  take(bytes: number): Promise<void> | undefined
  release(): void
}

/** Decides whether there is room, so that a full disk is a refusal and never a failing write. */
export class Space {
  readonly #directory: string
  readonly #staging: string
  readonly #maxTotalSize: number
  readonly #sizes: ShardedNames<number>
  /** Bytes of all blobs, as of the last look. */
  #stored = 0
  /** Bytes that uploads of this process have set aside and not yet written. */
  #reserved = 0

  constructor({ directory, staging, blobs }: Layout, maxTotalSize: number = Number.POSITIVE_INFINITY) {
    this.#directory = directory
    this.#staging = staging
    this.#maxTotalSize = maxTotalSize
    this.#sizes = new ShardedNames({
      directory: blobs,
      pattern: RANDOM_ID,
      load: (path) => statSync(path, { throwIfNoEntry: false })?.size,
      onAdd: (size) => {
        this.#stored += size
      },
      onRemove: (size) => {
        this.#stored -= size
      },
    })
  }

  /** @throws StoreError NO_SPACE where `bytes` more would not fit beside all that is reserved */
  async admit(bytes: number): Promise<void> {
    await this.#checkTotal(bytes)
    await this.#room(bytes)
  }

  /**
   * Sets space aside, whether it is there or not: of two that come at once and check then, each sees the other's.
   *
   * @throws StoreError NO_SPACE where no disk could have so much
   */
  reserve(expected: number): Reservation {
    // Sums of larger numbers are not exact, and what is added here is subtracted later.
    if (expected > MAX_EXPECTED) throw nearlyFull()
    this.#reserved += expected
    let left = expected
    const spend = (bytes: number) => {
      const spent = Math.min(bytes, left)
      left -= spent
      this.#reserved -= spent
      return bytes - spent
    }
    // How many bytes may come beside the expected ones before the next look; less than none until the first one.
    let unchecked = -1
    const look = async (bytes: number) => {
      const rest = await this.#checkTotal(bytes)
      unchecked = Math.min(strideFor(await this.#room(bytes)), rest)
    }
    return {
      check: () => look(0),
      take: (bytes) => {
        unchecked -= spend(bytes)
        return unchecked < 0 ? look(bytes) : undefined
      },
      release: () => void spend(left),
    }
  }

  /** The bytes that may come when `bytes` more have come, by the limit of all objects and uploads together. */
  async #checkTotal(bytes: number): Promise<number> {
    const max = this.#maxTotalSize
    if (max === Number.POSITIVE_INFINITY) return max
    // In this order: what is published in between counts twice, not never.
    const staged = await bytesOfParts(this.#staging)
    await this.#sizes.refresh()
    const held = this.#stored + staged
    const rest = max - held - this.#reserved - bytes
    if (rest >= 0 && held < max) return rest
    throw new StoreError('NO_SPACE', `The store holds ${held} of at most ${max} bytes.`)
  }

  /** The bytes that are free above the floor when `bytes` more have come. */
  async #room(bytes: number): Promise<number> {
    const { bsize, blocks, bavail, files, ffree } = await statfs(this.#directory)
    const floor = Math.min(blocks * bsize * FLOOR_SHARE, MAX_FLOOR_BYTES)
    // Some file systems tell no sizes.
    if (blocks === 0) return Number.POSITIVE_INFINITY
    const room = bavail * bsize - floor - this.#reserved - bytes
    if (room < 0) throw nearlyFull()
    // Some file systems have no fixed number of files, and say 0.
    if (files > 0 && ffree < Math.min(files * FLOOR_SHARE, MAX_FLOOR_FILES)) {
      throw new StoreError('NO_SPACE', 'The disk has nearly no room for more files.')
    }
    return room
  }
}

/** The bytes of uploads under way and of paused ones, in all processes. */
async function bytesOfParts(staging: string): Promise<number> {
  let sum = 0
  for (const name of await readdir(staging)) {
    if (!name.endsWith('.part')) continue
    const stat = statSync(join(staging, name), { throwIfNoEntry: false })
    // With a second name it is a blob already.
    if (stat?.nlink === 1) sum += stat.size
  }
  return sum
}

function nearlyFull(): StoreError {
  return new StoreError('NO_SPACE', 'The disk is nearly full: there is no space for the upload.')
}

/** Half of what there is at the most, since others take of it too. */
function strideFor(room: number): number {
  return Math.min(room / 2, MAX_STRIDE)
}
