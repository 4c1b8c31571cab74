import type { StoreLimits, StoreOptions } from '../contract/store.ts'

const HOUR = 60 * 60 * 1000
const DAY = 24 * HOUR
const GIBIBYTE = 1024 ** 3

/** Returns the limits that options set, with their defaults. */
export function storeLimits(options: StoreOptions): StoreLimits {
  const { maxFileSize = 10 * GIBIBYTE, expireAfter = DAY, expireEmptyAfter = HOUR } = options
  return { maxFileSize, expireAfter, expireEmptyAfter: Math.min(expireAfter, expireEmptyAfter) }
}
