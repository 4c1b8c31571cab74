import { once } from 'node:events'
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http'
import { expect, it } from 'vitest'
import { startApp } from '../support/app.ts'

/** Not by fetch, which adds `Cache-Control: no-cache` to conditional requests. */
async function ask(url: string, method: string, headers: OutgoingHttpHeaders = {}) {
  const [response] = (await once(
    request(url, { method, headers: { 'accept-encoding': 'br', ...headers }, agent: false }).end(),
    'response',
  )) as [IncomingMessage]
  response.resume()
  const { date: _date, 'x-request-id': _id, ...fields } = response.headers
  return { status: response.statusCode, fields }
}

it.each([
  ['a stored object', '/videos/clip'],
  ['a download', '/videos/clip?download'],
  ['an asset', '/assets/video/sample.mp4'],
  ['a compressed file of the page', '/page/page.css'],
])(
  'sends a 304 for %s with every field of the 200 that does not describe its content',
  async (_what, path) => {
    const { url } = await startApp()
    await fetch(`${url}/videos/clip`, { method: 'PUT', body: 'WEBVTT\n\nclip' })
    for (const method of ['GET', 'HEAD']) {
      const whole = await ask(`${url}${path}`, method)
      const since = { 'if-modified-since': whole.fields['last-modified'] }
      const lean = await ask(`${url}${path}`, method, since)
      expect([whole.status, lean.status]).toEqual([200, 304])
      const {
        'content-disposition': _disposition,
        'content-encoding': _encoding,
        'content-length': _length,
        'content-type': _type,
        'repr-digest': _digest,
        ...others
      } = whole.fields
      expect(lean.fields).toEqual(others)
    }
  },
)
