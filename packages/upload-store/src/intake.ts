import { createHash } from 'node:crypto'
import type { StoreOptions } from './store.ts'
import { StoreError } from './store-error.ts'
import type { SealedUpload } from './upload-session.ts'

const GIBIBYTE = 1024 ** 3
const HEAD_LENGTH = 4096
const UNKNOWN_TYPE = 'application/octet-stream'

/** What every upload passes on its way to the disk: counted, capped, hashed, and its type told from its first bytes. */
export class Intake {
  readonly #options: StoreOptions
  readonly #declaredType: string | undefined
  readonly #hash = createHash('sha256')
  #size = 0
  #head: Uint8Array[] = []
  #type: string | undefined

  constructor(options: StoreOptions, declaredType: string | undefined) {
    this.#options = options
    this.#declaredType = declaredType
  }

  /** Bytes let in. */
  get size(): number {
    return this.#size
  }

  /**
   * Lets a chunk in. Returns a promise only where it has to be waited for.
   *
   * @throws StoreError TOO_LARGE before anything of the chunk counts, UNSUPPORTED_TYPE
   */
  admit(chunk: Uint8Array): Promise<unknown> | undefined {
    // Text and arrays of larger numbers would be stored as something else than they are.
    if (!(ArrayBuffer.isView(chunk) && chunk.BYTES_PER_ELEMENT === 1)) {
      throw new TypeError('An upload is made of Uint8Arrays.')
    }
    const { maxFileSize = 10 * GIBIBYTE } = this.#options
    if (this.#size + chunk.length > maxFileSize) {
      throw new StoreError('TOO_LARGE', `The upload is larger than the limit of ${maxFileSize} bytes.`)
    }
    // A copy: whoever sent the chunk may use its memory again.
    if (this.#size < HEAD_LENGTH)
      this.#head.push(Uint8Array.from(chunk.subarray(0, HEAD_LENGTH - this.#size)))
    this.#size += chunk.length
    return this.#size >= HEAD_LENGTH && this.#type === undefined ? this.#settleType() : undefined
  }

  /** Hashes bytes that were let in, in their order. */
  hash(bytes: Uint8Array): void {
    this.#hash.update(bytes)
  }

  /**
   * Call when all is hashed. More may be let in afterwards.
   *
   * @throws StoreError UNSUPPORTED_TYPE
   */
  async finish(): Promise<SealedUpload> {
    const type = await this.#settleType()
    return { size: this.#size, type, digest: this.#hash.copy().digest('hex') }
  }

  async #settleType(): Promise<string> {
    if (this.#type !== undefined) return this.#type
    const { accept = ['*/*'], detectType = () => this.#declaredType } = this.#options
    const type = (await detectType(Buffer.concat(this.#head))) ?? UNKNOWN_TYPE
    if (!accept.some((pattern) => matches(pattern, type))) {
      const found = type === UNKNOWN_TYPE ? 'of no known media type' : type
      throw new StoreError('UNSUPPORTED_TYPE', `The content is ${found}; accepted are ${accept.join(', ')}.`)
    }
    if (this.#size >= HEAD_LENGTH) {
      this.#type = type
      this.#head = []
    }
    return type
  }
}

/** `pattern` as in an Accept field, without parameters (RFC 9110 §12.5.1); parameters of the type do not count. */
function matches(pattern: string, type: string): boolean {
  const [wanted = '', essence = ''] = [pattern, type.split(';')[0]].map((text) => text?.trim().toLowerCase())
  return (
    wanted === '*/*' ||
    wanted === essence ||
    (wanted.endsWith('/*') && essence.startsWith(wanted.slice(0, -1)))
  )
}
