import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import type { Answer } from './answer.ts'
import type { Exchange } from './case.ts'
import { Connection } from './connection.ts'
import { request } from './request.ts'
import type { Target } from './target.ts'

/** What browsers may show of a stored object; everything else has to be a download. */
const INLINE = /^(?:video|audio)\/[\w.+-]+$|^image\/(?:avif|gif|jpeg|png|webp)$/

export interface Stored {
  readonly key: string
  readonly video_url: string
  readonly type: string
}

/** What a POST or PUT that was taken says; its digest has to be that of `content`. */
export function storedBy({ answer }: Exchange, content: string | Buffer = 'content'): Stored {
  const stored = JSON.parse(answer.content.toString())
  const sha256 = createHash('sha256').update(content).digest('hex')
  expect(stored).toMatchObject({ size: Buffer.byteLength(content), digest: sha256 })
  const { key, video_url, type } = stored
  return { key: String(key), video_url: String(video_url), type: String(type) }
}

/** Taken, and what is stored and served is what was sent. */
export function holds(content: string | Buffer = 'content'): (exchange: Exchange) => Promise<void> {
  return (exchange) => readBack(exchange.target, storedBy(exchange, content), content)
}

/** Whether a name is a key, told independently of the store. */
export function checkKey(key: string): void {
  expect(Buffer.byteLength(key)).toBeGreaterThan(0)
  expect(Buffer.byteLength(key)).toBeLessThanOrEqual(255)
  expect(key.normalize('NFC')).toBe(key)
  expect(Buffer.from(key).toString()).toBe(key)
  expect(key).not.toMatch(/[\p{Cc}/\\]|^\.\.?$/u)
}

/** Reads the object back as a browser would, and looks at all that could make it more than bytes. */
export async function readBack(target: Target, stored: Stored, content: string | Buffer): Promise<void> {
  const url = new URL(stored.video_url)
  expect(url.origin).not.toContain('@')
  for (const query of ['', '?download']) {
    const answer = await get(target, `${url.pathname}${query}`)
    expect(answer.status).toBe(200)
    expect(answer.content.equals(Buffer.from(content))).toBe(true)
    checkServed(answer, stored.key, query !== '')
  }
}

/** One answer to a GET. */
export async function get(target: Target, path: string): Promise<Answer> {
  const connection = await Connection.open(target.url)
  try {
    await connection.take([request(`GET ${path}`, ['Connection: close'])])
    expect(await connection.until(Number.POSITIVE_INFINITY, 10_000)).toBe(true)
    const [answer] = connection.answers()
    if (answer === undefined) throw new Error(`no answer to GET ${path}`)
    return answer
  } finally {
    connection.close()
  }
}

/** Nothing in a stored object runs in our origin, whoever opens it. */
function checkServed({ fields }: Answer, key: string, download: boolean): void {
  const type = fields.get('content-type') ?? ''
  const disposition = fields.get('content-disposition') ?? ''
  const inline = INLINE.test(type) && !download
  expect(fields.get('x-content-type-options')).toBe('nosniff')
  expect(fields.get('content-security-policy')).toMatch(/default-src 'none'.*\bsandbox\b/)
  expect(fields.get('content-security-policy')).not.toMatch(/allow-scripts|unsafe-eval|script-src/)
  expect(fields.get('cross-origin-resource-policy')).toBeDefined()
  expect(fields.get('set-cookie')).toBeUndefined()
  expect(type).toMatch(/^[\w.+-]+\/[\w.+-]+$/)
  expect(disposition.startsWith(inline ? 'inline' : 'attachment'), `${type}: ${disposition}`).toBe(true)
  checkDisposition(disposition, key)
}

/** RFC 6266: a token or quoted ASCII as `filename`, and the whole name as `filename*` where that is not all. */
function checkDisposition(disposition: string, key: string): void {
  const parameters =
    /^(?:inline|attachment)(?:; filename=("(?:[^"\\]|\\.)*"|[\w!#$&+.^`|~-]+))?(?:; filename\*=UTF-8''([\w!#$&+.^`|~%-]+))?$/
  expect(disposition).toMatch(/^[ -~]*$/)
  const [matched, plain, encoded] = parameters.exec(disposition) ?? []
  expect(matched, disposition).toBeDefined()
  const quoted = plain?.startsWith('"') ? plain.slice(1, -1).replace(/\\(.)/g, '$1') : plain
  const name = encoded === undefined ? quoted : decodeURIComponent(encoded)
  expect(name).toBe(key)
}
