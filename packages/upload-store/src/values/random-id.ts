import { randomBytes } from 'node:crypto'

/** What sessions, blobs and owners are called: 128 random bits, 22 characters of base64url. */
export const RANDOM_ID: RegExp = /^[\w-]{22}$/

export function randomId(): string {
  return randomBytes(16).toString('base64url')
}
