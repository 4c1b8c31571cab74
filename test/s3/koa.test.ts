import { createHash, randomBytes } from 'node:crypto'
import Koa from 'koa'
import { serveContent } from 'koa-range-stream'
import { resumableUpload } from 'koa-resumable-upload'
import { expect, it } from 'vitest'
import { serve } from '../support/app.ts'
import { describeWith } from '../support/tools.ts'
import { CEPH, Ceph } from './ceph.ts'

const MEBIBYTE = 1024 ** 2
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const bytes = randomBytes(12 * MEBIBYTE)

describeWith(CEPH, 'S3 store on Ceph: in a Koa app', () => {
  const ceph = new Ceph()

  /** Two nodes over one bucket: uploads at /files/<key>, and what has become of them. */
  const nodes = () => {
    const prefix = `${randomBytes(8).toString('hex')}/`
    const node = () => {
      const store = ceph.open({ prefix, partSize: 5 * MEBIBYTE })
      const app = new Koa()
      app.silent = true
      const keyOf = (path: string) => path.slice('/files/'.length)
      const resolveTarget = ({ path }: Koa.Context) =>
        path.startsWith('/files/') ? { key: keyOf(path) } : null
      app.use(resumableUpload(store, { resolveTarget }))
      app.use(async (ctx) => {
        const content = await store.get(keyOf(ctx.path))
        if (content !== null) await serveContent(ctx, content)
      })
      return serve(app.callback())
    }
    return Promise.all([node(), node()])
  }

  it('takes an upload in turns at two nodes, and serves all and ranges of it at both', async () => {
    const urls = await nodes()
    const begun = await fetch(`${urls[0]}/files/film.mp4`, {
      method: 'POST',
      headers: { 'Upload-Complete': '?0' },
    })
    const path = new URL(begun.headers.get('location') ?? '', urls[0]).pathname
    const step = 5 * MEBIBYTE + 77
    for (let offset = 0, turn = 1; offset < bytes.length; offset += step, turn++) {
      const url = `${urls[turn % 2]}${path}`
      expect((await fetch(url, { method: 'HEAD' })).headers.get('upload-offset')).toBe(`${offset}`)
      const body = bytes.subarray(offset, offset + step)
      const isLast = offset + step >= bytes.length
      const headers = {
        'Content-Type': 'application/partial-upload',
        'Upload-Offset': `${offset}`,
        'Upload-Complete': isLast ? '?1' : '?0',
        'Content-Digest': `sha-256=:${createHash('sha256').update(body).digest('base64')}:`,
      }
      expect((await fetch(url, { method: 'PATCH', headers, body })).status).toBe(isLast ? 201 : 204)
    }
    for (const url of urls.map((each) => `${each}/files/film.mp4`)) {
      const whole = await fetch(url)
      expect(sha256(new Uint8Array(await whole.arrayBuffer()))).toBe(sha256(bytes))
      const range = `bytes=${MEBIBYTE - 3}-${7 * MEBIBYTE}`
      const part = await fetch(url, { headers: { range } })
      const wanted = bytes.subarray(MEBIBYTE - 3, 7 * MEBIBYTE + 1)
      expect([part.status, sha256(new Uint8Array(await part.arrayBuffer()))]).toEqual([206, sha256(wanted)])
      const several = await fetch(url, { headers: { range: 'bytes=0-0,-1' } })
      expect([several.status, several.headers.get('content-type')]).toEqual([
        206,
        expect.stringMatching(/^multipart\/byteranges/),
      ])
      expect((await several.arrayBuffer()).byteLength).toBe(Number(several.headers.get('content-length')))
      const beyond = await fetch(url, { headers: { range: `bytes=${bytes.length}-` } })
      expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${bytes.length}`])
    }
  })

  it('resumes at the other node from the durable offset when a connection was cut off', async () => {
    const [first, second] = await nodes()
    const controller = new AbortController()
    const slowly = new ReadableStream({
      start(stream) {
        stream.enqueue(bytes.subarray(0, 11 * MEBIBYTE))
      },
    })
    const begun = await fetch(`${first}/files/a`, { method: 'POST', headers: { 'Upload-Complete': '?0' } })
    const path = new URL(begun.headers.get('location') ?? '', first).pathname
    const headers = {
      'Content-Type': 'application/partial-upload',
      'Upload-Offset': '0',
      'Upload-Complete': '?0',
    }
    const { signal } = controller
    const init = { method: 'PATCH', headers, body: slowly, duplex: 'half', signal } as RequestInit
    const cut = fetch(`${first}${path}`, init).catch(() => {})
    const offset = async () =>
      Number((await fetch(`${second}${path}`, { method: 'HEAD' })).headers.get('upload-offset'))
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const durable = await offset()
    // One or two parts, as busy as the machine is.
    expect([5 * MEBIBYTE, 10 * MEBIBYTE]).toContain(durable)
    controller.abort()
    await cut
    expect(await offset()).toBe(durable)
    const rest = { ...headers, 'Upload-Offset': `${durable}`, 'Upload-Complete': '?1' }
    const last = await fetch(`${second}${path}`, {
      method: 'PATCH',
      headers: rest,
      body: bytes.subarray(durable),
    })
    expect(last.status).toBe(201)
    const whole = await fetch(`${first}/files/a`)
    expect(sha256(new Uint8Array(await whole.arrayBuffer()))).toBe(sha256(bytes))
  })
})
