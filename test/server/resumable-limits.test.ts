import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { withTmpfs } from '../faults/src/tmpfs.ts'
import { append, askOffset, begin, locationOf, startServer } from '../support/resumable.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const MEBIBYTE = 1024 ** 2

/** Without a length that could be refused before it comes. */
function inChunks(content: Buffer): ReadableStream {
  return new Blob([new Uint8Array(content)]).stream()
}

async function expectProblem(response: Response, status: number): Promise<void> {
  expect([response.status, response.headers.get('Content-Type')]).toEqual([
    status,
    'application/problem+json',
  ])
  expect(await response.json()).toMatchObject({ status })
}

/** @returns the offset, which the refusal and the next HEAD both tell */
async function expectFull(response: Response, url: string, location: string): Promise<number> {
  await expectProblem(response, 507)
  expect(response.headers.get('Upload-Complete')).toBe('?0')
  expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0)
  const offset = response.headers.get('Upload-Offset')
  const asked = await askOffset(url, location)
  expect([asked.status, asked.headers.get('Upload-Offset')]).toEqual([204, offset])
  return Number(offset)
}

async function expectStored(response: Response, content: Buffer): Promise<void> {
  expect(response.status).toBe(201)
  const { video_url, digest } = await response.json()
  expect(digest).toBe(sha256(content))
  expect(sha256(Buffer.from(await (await fetch(video_url)).arrayBuffer()))).toBe(digest)
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

describe('an upload in parts that reaches --max-total-size', () => {
  const CONTENT = randomBytes(800_000)

  it.each([
    ['before the part is read, by its Content-Length', (part: Buffer) => new Uint8Array(part), 400_000],
    ['in mid-part, where nothing tells its length', inChunks, 500_000],
  ])('is 507 %s, and the upload can be resumed after a deletion', async (_, sent, most) => {
    const { url } = await startServer(await temporaryDirectory(), '--max-total-size', '1000000')
    await fetch(`${url}/videos/other`, { method: 'PUT', body: new Uint8Array(500_000) })
    const location = locationOf(await begin(url, 'POST', '/video', CONTENT.subarray(0, 400_000)))
    const refused = await append(url, location, 400_000, sent(CONTENT.subarray(400_000)), true)
    const offset = await expectFull(refused, url, location)
    expect(offset).toBeGreaterThanOrEqual(400_000)
    expect(offset).toBeLessThanOrEqual(most)
    await fetch(`${url}/videos/other`, { method: 'DELETE' })
    await expectStored(await append(url, location, offset, sent(CONTENT.subarray(offset)), true), CONTENT)
  })

  it('leaves no room to others while it is paused', async () => {
    const { url } = await startServer(await temporaryDirectory(), '--max-total-size', '1000000')
    await begin(url, 'POST', '/video', CONTENT)
    const put = () => fetch(`${url}/videos/other`, { method: 'PUT', body: new Uint8Array(300_000) })
    expect((await put()).status).toBe(507)
  })
})

describe('an upload in parts that grows beyond --max-file-size', () => {
  const CONTENT = randomBytes(300_000)

  it('is 413 before the part is read, and may end smaller', async () => {
    const { url } = await startServer(await temporaryDirectory(), '--max-file-size', '300000')
    const location = locationOf(await begin(url, 'POST', '/video', CONTENT.subarray(0, 200_000)))
    const refused = await append(url, location, 200_000, new Uint8Array(100_001), false)
    await expectProblem(refused, 413)
    expect(refused.headers.get('Upload-Offset')).toBe('200000')
    expect(refused.headers.get('Upload-Limit')).toContain('max-size=300000')
    await expectStored(await append(url, location, 200_000, CONTENT.subarray(200_000), true), CONTENT)
  })

  it('is 413 in mid-part, and has ended, where nothing tells the length of the part', async () => {
    const { url } = await startServer(await temporaryDirectory(), '--max-file-size', '300000')
    const location = locationOf(await begin(url, 'POST', '/video', CONTENT.subarray(0, 200_000)))
    const refused = await append(url, location, 200_000, inChunks(randomBytes(200_000)), false)
    await expectProblem(refused, 413)
    expect(refused.headers.get('Upload-Complete')).toBe('?1')
    expect((await askOffset(url, location)).status).toBe(404)
  })
})

describe('an upload in parts on a disk that is full', () => {
  it('is 507 in mid-part, and the upload can be resumed after a deletion', async ({ skip }) => {
    const result = await withTmpfs('size=64m', async (directory) => {
      const { url, server } = await startServer(join(directory, 'data'))
      await fetch(`${url}/videos/other`, { method: 'PUT', body: new Uint8Array(40 * MEBIBYTE) })
      const content = randomBytes(30 * MEBIBYTE)
      const location = locationOf(await begin(url, 'POST', '/video', content.subarray(0, 8 * MEBIBYTE)))
      const rest = (offset: number) => append(url, location, offset, inChunks(content.subarray(offset)), true)
      const offset = await expectFull(await rest(8 * MEBIBYTE), url, location)
      expect(offset).toBeGreaterThan(8 * MEBIBYTE)
      await fetch(`${url}/videos/other`, { method: 'DELETE' })
      await expectStored(await rest(offset), content)
      await server.stop()
    })
    if (result !== undefined) {
      console.warn(`Skipped the full disk: ${result.skipped}.`)
      skip(result.skipped)
    }
  })
})
