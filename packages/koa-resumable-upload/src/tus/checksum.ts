import { createHash } from 'node:crypto'
import type Koa from 'koa'
import type { ContentDigest } from '../core/exchange.ts'
import { malformed, RefusedError, wrongChecksum } from '../errors.ts'

/** Length of the value in bytes. Every server has to support sha1. */
const LENGTHS: Readonly<Record<string, number>> = { sha1: 20, md5: 16, sha256: 32, sha512: 64 }

const ALGORITHMS = Object.keys(LENGTHS)

/** The value of Tus-Checksum-Algorithm. */
export const CHECKSUM_ALGORITHMS: string = ALGORITHMS.join(',')

interface Declared {
  readonly algorithm: string
  /** In base64. */
  readonly value: string
}

/**
 * Returns the check of Upload-Checksum, or `null` if the request has none. The field may follow the content as a trailer.
 *
 * @throws RefusedError 400 if the algorithm is unknown or the value has another length
 */
export function uploadChecksum(ctx: Koa.Context): ContentDigest | null {
  const isTrailer = /(?:^|,)\s*upload-checksum\s*(?:,|$)/i.test(ctx.get('Trailer'))
  if (ctx.headers['upload-checksum'] === undefined && !isTrailer) return null
  return isTrailer ? checkTrailer(ctx) : check(parse(ctx.get('Upload-Checksum')))
}

function check(declared: Declared): ContentDigest {
  const hash = createHash(declared.algorithm)
  return {
    update: (chunk) => void hash.update(chunk),
    verify: () => compare(declared, hash.digest('base64')),
  }
}

/** The algorithm is known only after the content, so each of them is computed. */
function checkTrailer(ctx: Koa.Context): ContentDigest {
  const hashes = new Map(ALGORITHMS.map((algorithm) => [algorithm, createHash(algorithm)]))
  return {
    update: (chunk) => {
      for (const hash of hashes.values()) hash.update(chunk)
    },
    verify: () => {
      const declared = parse(ctx.req.trailers['upload-checksum'] ?? '')
      compare(declared, hashes.get(declared.algorithm)?.digest('base64') ?? '')
    },
  }
}

function compare({ algorithm, value }: Declared, actual: string): void {
  if (actual === value) return
  const detail = `The ${algorithm} of the content is ${actual}, not ${value}; none of it was kept. Send it again.`
  throw new RefusedError(wrongChecksum(detail))
}

function parse(field: string): Declared {
  const [algorithm = '', value = '', ...rest] = field.split(' ')
  const length = Object.hasOwn(LENGTHS, algorithm) ? LENGTHS[algorithm] : undefined
  if (length === undefined) {
    const shown = JSON.stringify(algorithm.slice(0, 40))
    throw refuse(`the algorithm ${shown} is not supported. Use one of ${CHECKSUM_ALGORITHMS}.`)
  }
  const bytes = Buffer.from(value, 'base64')
  if (bytes.length !== length || bytes.toString('base64') !== value || rest.length > 0)
    throw refuse(`the value of ${algorithm} is not ${length} bytes in base64. Correct it.`)
  return { algorithm, value }
}

function refuse(detail: string): RefusedError {
  return new RefusedError(malformed(`Upload-Checksum: ${detail}`))
}
