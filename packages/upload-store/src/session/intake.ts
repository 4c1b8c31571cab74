import { createHash } from 'node:crypto'
import type { StoreOptions } from '../contract/store.ts'
import { StoreError } from '../contract/store-error.ts'
import type { SealedUpload } from '../contract/upload-session.ts'
import { isMediaType } from '../values/media-type-syntax.ts'
import { checkAcceptedType, UNKNOWN_TYPE } from './accepted-type.ts'

const GIBIBYTE = 1024 ** 3
const HEAD_LENGTH = 4096

/** A sha-256 of what has come so far. */
export interface RunningHash {
  update(bytes: Uint8Array): void
  /** Lower-case hex; more may come afterwards. */
  digest(): string
  /** Its state, which another one can go on from; none where it cannot be had. */
  save?(): Uint8Array
}

/** Counting, hashing and telling the type, as far as they have come. */
export interface SavedIntake {
  /** How many bytes are hashed. */
  readonly size: number
  readonly hash: Uint8Array
  /** `undefined` while it is not known. */
  readonly type: string | undefined
  /** The first bytes, while they are needed to tell the type. */
  readonly head: Uint8Array
}

/** What every upload passes on its way to the disk: counted, capped, hashed, and its type told from its first bytes. */
export class Intake {
  readonly #options: StoreOptions
  readonly #declaredType: string | undefined
  readonly #hash: RunningHash
  #size = 0
  #hashed = 0
  #head: Uint8Array[] = []
  #type: string | undefined

  constructor(options: StoreOptions, declaredType: string | undefined, hash: RunningHash = nodeHash()) {
    this.#options = options
    this.#declaredType = declaredType
    this.#hash = hash
  }

  /**
   * Goes on from `saved`, whose hash `hash` has taken over.
   *
   * @throws StoreError TOO_LARGE and UNSUPPORTED_TYPE when the store's options have changed since
   */
  restore({ size, type, head }: SavedIntake): this {
    this.#checkSize(size)
    if (type !== undefined) checkAcceptedType(type, this.#options.accept)
    this.#size = size
    this.#hashed = size
    this.#type = type
    this.#head = type === undefined ? [head] : []
    return this
  }

  /** What it takes to go on behind the bytes that are hashed; `undefined` where the hash cannot be saved. */
  save(): SavedIntake | undefined {
    const hash = this.#hash.save?.()
    if (hash === undefined) return undefined
    return { size: this.#hashed, hash, type: this.#type, head: Buffer.concat(this.#head) }
  }

  /** Bytes let in. */
  get size(): number {
    return this.#size
  }

  /**
   * Checks a chunk and counts it. Returns a promise only if the caller has to wait.
   *
   * @throws StoreError TOO_LARGE before anything of the chunk counts, UNSUPPORTED_TYPE
   */
  check(chunk: Uint8Array): Promise<unknown> | undefined {
    // Text and arrays of larger numbers would be stored as something else than they are.
    if (!(ArrayBuffer.isView(chunk) && chunk.BYTES_PER_ELEMENT === 1)) {
      throw new TypeError(
        'The source yields a chunk that is not a Uint8Array. Encode text and numbers first.',
      )
    }
    this.#checkSize(this.#size + chunk.length)
    // A copy: whoever sent the chunk may use its memory again.
    if (this.#size < HEAD_LENGTH)
      this.#head.push(Uint8Array.from(chunk.subarray(0, HEAD_LENGTH - this.#size)))
    this.#size += chunk.length
    return this.#size >= HEAD_LENGTH && this.#type === undefined ? this.#settleType() : undefined
  }

  /** Hashes bytes that were let in, in their order. */
  hash(bytes: Uint8Array): void {
    this.#hash.update(bytes)
    this.#hashed += bytes.length
  }

  /**
   * Call when all is hashed. More may be let in afterwards.
   *
   * @throws StoreError UNSUPPORTED_TYPE
   */
  async finish(): Promise<SealedUpload> {
    const type = await this.#settleType()
    return { size: this.#size, type, digest: this.#hash.digest() }
  }

  async #settleType(): Promise<string> {
    if (this.#type !== undefined) return this.#type
    const { detectType = () => this.#declaredType } = this.#options
    const found = (await detectType(Buffer.concat(this.#head))) ?? UNKNOWN_TYPE
    // Whatever a client declared: no response could have it as its Content-Type.
    const type = isMediaType(found) ? found : UNKNOWN_TYPE
    checkAcceptedType(type, this.#options.accept)
    if (this.#size >= HEAD_LENGTH) {
      this.#type = type
      this.#head = []
    }
    return type
  }

  #checkSize(size: number): void {
    const { maxFileSize = 10 * GIBIBYTE } = this.#options
    if (size > maxFileSize) {
      throw new StoreError(
        'TOO_LARGE',
        `The upload is larger than the limit of ${maxFileSize} bytes. Send a smaller file.`,
      )
    }
  }
}

function nodeHash(): RunningHash {
  const hash = createHash('sha256')
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.copy().digest('hex') }
}
