import { BLOCK_LENGTH } from '../../session/block-writer.ts'

/** S3 takes parts numbered 1–10,000. */
export const MAX_PARTS = 10_000
/** Of them a known length uses so many, and leaves the rest for writers that were ended. */
const USED_PARTS = 9000
/** Where no length is known, parts double after so many: 10,000 parts of 8 MiB are 78 GiB. */
const DOUBLED_EVERY = 2000

export const DEFAULT_PART_SIZE: number = 8 * 1024 ** 2

/**
 * The length of an upload's part. Where it is known how much will come, all parts are equal, which some engines ask for; all
 * are multiples of a block, so that the state of the hash is known where they end.
 *
 * @param index of the part, from 0
 * @param expected bytes in all, 0 where nobody knows
 */
export function partSize(index: number, expected: number, least: number): number {
  const needed = Math.ceil(expected / USED_PARTS)
  const size = expected > 0 ? Math.max(least, needed) : least * 2 ** Math.floor(index / DOUBLED_EVERY)
  return Math.ceil(size / BLOCK_LENGTH) * BLOCK_LENGTH
}

/** Of all parts but the last. */
export const MIN_PART_SIZE: number = 5 * 1024 ** 2
