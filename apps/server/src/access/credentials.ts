import { createHash, createHmac, scryptSync, timingSafeEqual } from 'node:crypto'

/** How long a sign-in lasts, in ms. */
export const SESSION_LIFETIME: number = 30 * 24 * 3_600_000

/** Tells the right token, and issues what stands for it in a cookie; all processes with the same token agree. */
export interface Credentials {
  isToken(text: string): boolean
  /** @param now ms since the epoch */
  issue(now: number): string
  /** @param now ms since the epoch */
  isSession(text: string, now: number): boolean
}

export function createCredentials(token: string): Credentials {
  // Deliberately slow, so that a stolen cookie cannot be used to brute-force the token.
  const key = scryptSync(token, 'koa-range-server session', 32)
  const sign = (expiry: string) => createHmac('sha256', key).update(expiry).digest('base64url')
  return {
    isToken: (text) => isSame(text, token),
    issue: (now) => {
      const expiry = String(now + SESSION_LIFETIME)
      return `${expiry}.${sign(expiry)}`
    },
    isSession: (text, now) => {
      const [expiry = '', signature = ''] = text.split('.')
      return isSame(signature, sign(expiry)) && Number(expiry) > now
    },
  }
}

/** Takes the same time wherever, and however long, the two differ. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest())
  return a !== undefined && b !== undefined && timingSafeEqual(a, b)
}
