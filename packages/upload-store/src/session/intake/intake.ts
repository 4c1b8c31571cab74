import { createHash } from 'node:crypto'
import type { StoreOptions } from '../../contract/store.ts'
import { StoreError } from '../../contract/store-error.ts'
import type { SealedUpload } from '../../contract/upload-session.ts'
import { isMediaType } from '../../values/media-type-syntax.ts'
import { checkAcceptedType, UNKNOWN_TYPE } from './accepted-type.ts'

const GIBIBYTE = 1024 ** 3
const HEAD_LENGTH = 4096

/** A running sha-256 of the received bytes. */
export interface RunningHash {
  update(bytes: Uint8Array): void
  /** Returns lower-case hex. `update` may be called afterwards. */
  digest(): string
  /** Returns the state that another hash can continue from; `undefined` if the implementation cannot export it. */
  save?(): Uint8Array
}

/** The state of counting, hashing and type detection after `size` bytes. */
export interface SavedIntake {
  /** The number of hashed bytes. */
  readonly size: number
  readonly hash: Uint8Array
  /** `undefined` until the type is detected. */
  readonly type: string | undefined
  /** The first bytes, as long as type detection needs them. */
  readonly head: Uint8Array
}

/** Counts, limits and hashes the bytes of an upload, and detects its type from the first of them. */
export class Intake {
  readonly #options: StoreOptions
  readonly #declaredType: string | undefined
  readonly #hash: RunningHash | null
  #size = 0
  #hashed = 0
  #head: Uint8Array[] = []
  #type: string | undefined

  /** @param hash `null`: the bytes are only counted, and `finish` cannot be called */
  constructor(
    options: StoreOptions,
    declaredType: string | undefined,
    hash: RunningHash | null = nodeHash(),
  ) {
    this.#options = options
    this.#declaredType = declaredType
    this.#hash = hash
  }

  /**
   * Continues from `saved`. The caller has constructed this intake with a hash that continues from `saved.hash`.
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

  /** Returns the state needed to continue after the hashed bytes, or `undefined` if the hash cannot be saved. */
  save(): SavedIntake | undefined {
    const hash = this.#hash?.save?.()
    if (hash === undefined) return undefined
    return { size: this.#hashed, hash, type: this.#type, head: Buffer.concat(this.#head) }
  }

  /** Whether the bytes are hashed, and not only counted. */
  get hashes(): boolean {
    return this.#hash !== null
  }

  /** The number of accepted bytes. */
  get size(): number {
    return this.#size
  }

  /**
   * Checks a chunk and counts it. Returns a promise only if the caller has to wait.
   *
   * @throws StoreError TOO_LARGE before any byte of the chunk is counted, UNSUPPORTED_TYPE
   */
  check(chunk: Uint8Array): Promise<unknown> | undefined {
    // A string, or an array of larger elements, would be stored as other bytes than the caller means.
    if (!(ArrayBuffer.isView(chunk) && chunk.BYTES_PER_ELEMENT === 1)) {
      throw new TypeError('The source gave a chunk that is not a Uint8Array. Give Buffers or Uint8Arrays.')
    }
    this.#checkSize(this.#size + chunk.length)
    // Copied, because the source may reuse the chunk's memory.
    if (this.#size < HEAD_LENGTH)
      this.#head.push(Uint8Array.from(chunk.subarray(0, HEAD_LENGTH - this.#size)))
    this.#size += chunk.length
    return this.#size >= HEAD_LENGTH && this.#type === undefined ? this.#settleType() : undefined
  }

  /** Hashes accepted bytes. Call in their order. */
  hash(bytes: Uint8Array): void {
    this.#hash?.update(bytes)
    this.#hashed += bytes.length
  }

  /**
   * Returns the size, type and digest. Call when all accepted bytes are hashed; more bytes may follow afterwards.
   *
   * @throws StoreError UNSUPPORTED_TYPE
   */
  async finish(): Promise<SealedUpload> {
    if (this.#hash === null)
      throw new TypeError('The upload is a part. Pass it to concatenateUploads to make an object of it.')
    const type = await this.#settleType()
    return { size: this.#size, type, digest: this.#hash.digest() }
  }

  async #settleType(): Promise<string> {
    if (this.#type !== undefined) return this.#type
    const { detectType = () => this.#declaredType } = this.#options
    const found = (await detectType(Buffer.concat(this.#head))) ?? UNKNOWN_TYPE
    // A declared type may be invalid, and an invalid one cannot be a response's Content-Type.
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

/**
 * Returns an intake that counts `size` bytes of a part and those that follow. The type and the digest of a part mean nothing;
 * they are found out when the parts are one upload.
 */
export function partIntake({ maxFileSize }: StoreOptions, size = 0): Intake {
  const intake = new Intake({ maxFileSize }, undefined, null)
  return intake.restore({ size, hash: new Uint8Array(), type: UNKNOWN_TYPE, head: new Uint8Array() })
}
