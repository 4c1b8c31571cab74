import { createHash } from 'node:crypto'
import { TusError } from '../errors.ts'

/** Length of the value in bytes; sha1 is the one that every server has to know. */
const LENGTHS: Readonly<Record<string, number>> = { sha1: 20, md5: 16, sha256: 32, sha512: 64 }

/** The value of Tus-Checksum-Algorithm. */
export const CHECKSUM_ALGORITHMS: string = Object.keys(LENGTHS).join(',')

/** What a request declares of its own content. */
export interface Checksum {
  update(chunk: Uint8Array): void
  /** @throws TusError 460 when what `update` saw is something else */
  verify(): void
}

/**
 * Of an Upload-Checksum field: the name of an algorithm, a space, the value in base64.
 *
 * @throws TusError 400 for an algorithm that is not known here or a value that cannot be right
 */
export function checksumOf(field: string): Checksum {
  const [algorithm = '', value = '', ...rest] = field.split(' ')
  const length = Object.hasOwn(LENGTHS, algorithm) ? LENGTHS[algorithm] : undefined
  if (length === undefined) {
    const told = JSON.stringify(algorithm.slice(0, 40))
    throw new TusError(
      400,
      `Upload-Checksum: the algorithm ${told} is not supported. Use one of ${CHECKSUM_ALGORITHMS}.`,
    )
  }
  const declared = Buffer.from(value, 'base64')
  if (declared.length !== length || declared.toString('base64') !== value || rest.length > 0) {
    throw new TusError(
      400,
      `Upload-Checksum: the value of ${algorithm} is not ${length} bytes in base64. Correct it.`,
    )
  }
  const hash = createHash(algorithm)
  return {
    update: (chunk) => void hash.update(chunk),
    verify: () => {
      const found = hash.digest('base64')
      if (found === value) return
      throw new TusError(
        460,
        `The ${algorithm} of the content is ${found}, not ${value}; none of it was kept. Send it again.`,
      )
    },
  }
}
