import { type BigIntStats, lstatSync } from 'node:fs'
import { isUnusable } from './read-entry.ts'

/** Returns the entry's stats, or `undefined` if the entry does not exist or cannot be used. Does not follow links. */
export function statFile(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false })
  } catch (error) {
    if (isUnusable(error)) return undefined
    throw error
  }
}

export function isSameFile(one: BigIntStats | undefined, other: BigIntStats | undefined): boolean {
  return one !== undefined && one.dev === other?.dev && one.ino === other.ino
}
