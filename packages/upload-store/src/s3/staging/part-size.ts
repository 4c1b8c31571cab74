import { BLOCK_LENGTH } from '../../session/intake/block-writer.ts'

/** The highest part number that S3 accepts; the lowest is 1. */
export const MAX_PARTS = 10_000
/** The number of parts that an upload of known length uses. The rest is left for parts of interrupted writers. */
const USED_PARTS = 9000
/**
 * The number of parts after which the part size doubles if the length is unknown: 10,000 parts of 8 MiB are only 78
 * GiB.
 */
const DOUBLED_EVERY = 2000

export const DEFAULT_PART_SIZE: number = 8 * 1024 ** 2

/**
 * Returns the length of a part. If the length of the upload is known, all parts are equal, which some engines require.
 * All parts are multiples of a block, so that the state of the hash is known where they end.
 *
 * @param index the index of the part, from 0
 * @param expected the size of the upload in bytes, 0 if it is unknown
 */
export function partSize(index: number, expected: number, least: number): number {
  const needed = Math.ceil(expected / USED_PARTS)
  const size = expected > 0 ? Math.max(least, needed) : least * 2 ** Math.floor(index / DOUBLED_EVERY)
  return Math.ceil(size / BLOCK_LENGTH) * BLOCK_LENGTH
}

/** The minimum size of all parts except the last. */
export const MIN_PART_SIZE: number = 5 * 1024 ** 2
