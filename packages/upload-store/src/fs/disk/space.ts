import { statfs } from 'node:fs/promises'
import { StoreError } from '../../contract/store-error.ts'
import { AnnouncedBytes } from '../../session/announced-bytes.ts'
import { RANDOM_ID } from '../../values/random-id.ts'
import { isThere } from './files.ts'
import type { Layout } from './layout.ts'
import { ShardedNames } from './shards.ts'
import { StagedBytes } from './staged-bytes.ts'
import { statFile } from './stat-file.ts'

const MEBIBYTE = 1024 ** 2
const GIBIBYTE = 1024 ** 3
/** The share of the disk that stays free, because records, directories and other programs need space, too. */
const FLOOR_SHARE = 0.05
const MAX_FLOOR_BYTES = GIBIBYTE
const MAX_FLOOR_FILES = 10_000
/** At most how many bytes an upload may receive beyond its announced size before space is checked again. */
const MAX_STRIDE = 64 * MEBIBYTE

const MAX_EXPECTED = 2 ** 50
/** How long the free space is not looked at again if there is plenty, in ms; and how many bytes are plenty. */
const LOOK_TIME = 100
const PLENTY = GIBIBYTE

/** The space reserved for one upload of this process. */
export interface Reservation {
  /** @throws StoreError NO_SPACE if the announced bytes do not fit */
  check(): Promise<void>
  /**
   * Call when bytes have arrived. Returns a promise only if the caller has to wait.
   *
   * @throws StoreError NO_SPACE
   */
  take(bytes: number): Promise<void> | undefined
  /** Call when no more bytes will arrive. */
  seal(): void
  /** @param kept how many bytes of the upload remain on the disk, for example after a pause */
  release(kept: number): void
}

/** Decides whether there is enough space, so that a full disk leads to a rejected upload and not to a failing write. */
export class Space {
  readonly #directory: string
  readonly #maxTotalSize: number
  readonly #sizes: ShardedNames<number>
  readonly #staged: StagedBytes
  readonly #partOf: (id: string) => string
  /** Bytes of all blobs, as of the last refresh. */
  #stored = 0
  /** The bytes above the floor, as of the last look. */
  #free = 0
  /** When the last look was. */
  #lookedAt = Number.NEGATIVE_INFINITY
  /** The bytes that uploads of this process have announced and not sent yet. */
  readonly #announced = new Set<AnnouncedBytes>()

  constructor({ directory, staging, blobs, part }: Layout, maxTotalSize: number = Number.POSITIVE_INFINITY) {
    this.#directory = directory
    this.#maxTotalSize = maxTotalSize
    this.#partOf = part
    this.#staged = new StagedBytes(staging)
    if (maxTotalSize < Number.POSITIVE_INFINITY) this.#staged.prepare()
    this.#sizes = new ShardedNames({
      directory: blobs,
      pattern: RANDOM_ID,
      load: sizeOfFile,
      onAdd: (size) => {
        this.#stored += size
      },
      onRemove: (size) => {
        this.#stored -= size
      },
    })
  }

  /** @throws StoreError NO_SPACE if `bytes` more do not fit beside everything that is reserved */
  async checkSpace(bytes: number): Promise<void> {
    await this.#checkTotal(bytes)
    await this.#room(bytes)
  }

  /**
   * Reserves space without checking it. When two uploads begin at once and check afterwards, each sees the other's
   * reservation.
   *
   * @param expected how many bytes are announced
   * @param staged how many bytes the upload has already
   * @param part the path of its bytes
   * @throws StoreError NO_SPACE if no disk could hold so much
   */
  reserve(id: string, expected: number, staged = 0, part: string = this.#partOf(id)): Reservation {
    if (expected > MAX_EXPECTED) throw nearlyFull()
    const announced = new AnnouncedBytes(expected)
    this.#announced.add(announced)
    const upload = this.#staged.open(id, staged, part)
    // The number of unannounced bytes that may arrive before the next check. The first bytes are always checked.
    let unchecked = -1
    const look = async (bytes: number) => {
      const rest = await this.#checkTotal(bytes)
      unchecked = Math.min(strideFor(await this.#room(bytes)), rest)
      upload.bytes += bytes
    }
    return {
      check: () => look(0),
      take: (bytes) => {
        const { isReleased } = announced
        unchecked -= announced.arrive(bytes)
        if (isReleased || unchecked < 0) return look(bytes)
        upload.bytes += bytes
        return undefined
      },
      seal: () => {
        announced.clear()
        upload.sealed = true
      },
      release: (kept) => {
        if (this.#announced.delete(announced)) this.#staged.close(id, kept)
      },
    }
  }

  /** Call when the bytes of an unfinished upload were removed. */
  removed(id: string): void {
    this.#staged.remove(id)
  }

  get #reserved(): number {
    let sum = 0
    for (const { reserved } of this.#announced) sum += reserved
    return sum
  }

  /** Returns how many bytes may arrive after `bytes` more, by `maxTotalSize`. */
  async #checkTotal(bytes: number): Promise<number> {
    const max = this.#maxTotalSize
    if (max === Number.POSITIVE_INFINITY) return max
    // In this order, an upload that is published in between is counted twice, and never missed.
    const staged = await this.#staged.total()
    await this.#sizes.refresh()
    const held = this.#stored + staged
    const rest = max - held - this.#reserved - bytes
    if (rest >= 0 && held < max) return rest
    throw new StoreError(
      'NO_SPACE',
      `The store holds ${held} of at most ${max} bytes. Delete objects, or try again later.`,
    )
  }

  /** Returns how many bytes are free above the floor after `bytes` more. */
  async #room(bytes: number): Promise<number> {
    const known = this.#free - this.#reserved - bytes
    const isFresh = performance.now() - this.#lookedAt < LOOK_TIME
    if (known >= PLENTY && isFresh && isThere(this.#directory)) return known
    this.#lookedAt = Number.NEGATIVE_INFINITY
    const { bsize, blocks, bavail, files, ffree } = await statfs(this.#directory)
    const floor = Math.min(blocks * bsize * FLOOR_SHARE, MAX_FLOOR_BYTES)
    // Some file systems report no sizes.
    if (blocks === 0) return Number.POSITIVE_INFINITY
    const free = bavail * bsize - floor
    const room = free - this.#reserved - bytes
    if (room < 0) throw nearlyFull()
    // Some file systems have no fixed number of files, and report 0.
    if (files > 0 && ffree < Math.min(files * FLOOR_SHARE, MAX_FLOOR_FILES)) {
      throw new StoreError(
        'NO_SPACE',
        'The disk has nearly no inodes left for more files. Try again when space is free.',
      )
    }
    this.#free = free
    this.#lookedAt = performance.now()
    return room
  }
}

/** Returns the size of a blob. A link or a directory with its name holds no bytes of the store. */
function sizeOfFile(path: string): number | undefined {
  const stats = statFile(path)
  return stats?.isFile() === true ? Number(stats.size) : undefined
}

function nearlyFull(): StoreError {
  return new StoreError(
    'NO_SPACE',
    'The disk is nearly full and has no space for the upload. Try again when space is free.',
  )
}

/** At most half of the free space, because other writers use it, too. */
function strideFor(room: number): number {
  return Math.min(room / 2, MAX_STRIDE)
}
