import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ServerProcess } from '../support/server.ts'
import { describeWith } from '../support/tools.ts'
import { makeVideo } from '../support/video.ts'

// Line by line what the FastAPI example does that this server grew out of, and the faults that it must not have.
describeWith(['ffmpeg'], 'the example', () => {
  let directory: string
  let server: ServerProcess
  let base: string
  let video: Buffer
  let url: string

  const upload = (bytes: Buffer, name: string) => {
    const form = new FormData()
    form.append('file', new Blob([new Uint8Array(bytes)]), name)
    return fetch(`${base}/video`, { method: 'POST', body: form })
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'koa-range-'))
    await makeVideo(join(directory, 'clip.mp4'))
    video = await readFile(join(directory, 'clip.mp4'))
    server = new ServerProcess(['--port', '0', '--data', join(directory, 'data'), '--log-level', 'warn'])
    base = await server.url()
    const answer = await upload(video, 'clip.mp4')
    expect(answer.status).toBe(201)
    const { video_url } = await answer.json()
    url = video_url
  })

  afterAll(async () => {
    const { stderr } = await server.stop()
    await rm(directory, { recursive: true, force: true })
    expect(stderr).toBe('')
  })

  it.each([undefined, '*/*', 'application/json'])('greets with JSON for Accept: %s', async (accept) => {
    const response = await fetch(`${base}/`, { headers: accept === undefined ? {} : { accept } })
    expect(response.headers.get('content-type')).toMatch('application/json')
    expect(await response.json()).toEqual({ message: expect.any(String) })
    expect(response.headers.get('vary')).toMatch(/accept/i)
  })

  it('shows browsers the page, with the video in its list', async () => {
    const response = await fetch(`${base}/`, { headers: { accept: 'text/html,*/*;q=0.8' } })
    expect(response.headers.get('content-type')).toMatch('text/html')
    expect(await response.text()).toContain('clip.mp4')
  })

  it('answers an upload with 201, Location, and an absolute URL made from the request', async () => {
    const response = await upload(video, 'another name.mp4')
    expect(response.status).toBe(201)
    expect(response.headers.get('location')).toBe('/get_video_by_name/another%20name.mp4')
    expect(await response.json()).toEqual({
      video_url: `${base}/get_video_by_name/another%20name.mp4`,
      key: 'another name.mp4',
      size: video.length,
      type: 'video/mp4',
      digest: createHash('sha256').update(video).digest('hex'),
    })
  })

  it('answers the same content under the same name with the object that is there', async () => {
    expect(await (await upload(video, 'clip.mp4')).json()).toMatchObject({ key: 'clip.mp4', video_url: url })
  })

  it('numbers other content under a name that is taken, and replaces nothing', async () => {
    const other = Buffer.concat([video, Buffer.from('\0\0\0\x08free', 'latin1')])
    expect(await (await upload(other, 'clip.mp4')).json()).toMatchObject({
      key: 'clip-2.mp4',
      size: other.length,
    })
    expect(await (await upload(other, 'clip.mp4')).json()).toMatchObject({ key: 'clip-2.mp4' })
    expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(video)).toBe(true)
  })

  it('streams the whole video with 200', async () => {
    const response = await fetch(url)
    expect(response.status).toBe(200)
    expect(Buffer.from(await response.arrayBuffer()).equals(video)).toBe(true)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'accept-ranges': 'bytes',
      'cache-control': 'public, max-age=0, must-revalidate',
      'content-length': String(video.length),
      'content-type': 'video/mp4',
      etag: `"${createHash('sha256').update(video).digest('hex')}"`,
      'x-content-type-options': 'nosniff',
    })
  })

  it.each([
    ['bytes=0-', 0, undefined],
    ['bytes=0-1', 0, 1],
    ['bytes=100-299', 100, 299],
    ['bytes=-500', -500, undefined],
    ['bytes=1000-99999999999999999999', 1000, undefined],
  ])('answers %s with 206 and those bytes', async (range, start, end) => {
    const response = await fetch(url, { headers: { range } })
    const expected = video.subarray(start, end === undefined ? undefined : end + 1)
    const first = start < 0 ? video.length + start : start
    expect(response.status).toBe(206)
    expect(response.headers.get('content-range')).toBe(
      `bytes ${first}-${first + expected.length - 1}/${video.length}`,
    )
    expect(Buffer.from(await response.arrayBuffer()).equals(expected)).toBe(true)
  })

  it('answers 416 and the complete length when the range starts past the end', async () => {
    const response = await fetch(url, { headers: { range: `bytes=${video.length}-` } })
    expect(response.status).toBe(416)
    expect(response.headers.get('content-range')).toBe(`bytes */${video.length}`)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
  })

  it('answers 304 by ETag, in a list and with a Range too, with the headers that the 200 has', async () => {
    const { headers } = await fetch(url, { method: 'HEAD' })
    const etag = headers.get('etag') ?? ''
    const response = await fetch(url, {
      headers: { 'if-none-match': `"other", ${etag}`, range: 'bytes=0-1' },
    })
    expect(response.status).toBe(304)
    for (const name of ['etag', 'last-modified', 'cache-control']) {
      expect(response.headers.get(name)).toBe(headers.get(name))
    }
    for (const name of ['content-length', 'content-type', 'content-range']) {
      expect(response.headers.get(name)).toBeNull()
    }
  })

  it('answers HEAD as GET without the bytes', async () => {
    const [get, head] = [await fetch(url), await fetch(url, { method: 'HEAD' })]
    const comparable = (response: Response) => {
      const own = new Set(['date', 'connection', 'keep-alive', 'x-request-id'])
      return [...response.headers].filter(([name]) => !own.has(name))
    }
    expect(comparable(head)).toEqual(comparable(get))
  })

  it.each(['GET', 'HEAD'])('answers %s of a video that is not there with 404', async (method) => {
    const response = await fetch(`${base}/get_video_by_name/none.mp4`, {
      method,
      headers: { range: 'bytes=0-' },
    })
    expect(response.status).toBe(404)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
  })

  it('serves static files with ranges and a strong ETag', async () => {
    const response = await fetch(`${base}/assets/video/sample.mp4`, { headers: { range: 'bytes=4-7' } })
    expect(response.status).toBe(206)
    expect(await response.text()).toBe('ftyp')
    const etag = response.headers.get('etag') ?? ''
    expect(etag).toMatch(/^"/)
    const again = await fetch(`${base}/assets/video/sample.mp4`, { headers: { 'if-none-match': etag } })
    expect(again.status).toBe(304)
  })
})
