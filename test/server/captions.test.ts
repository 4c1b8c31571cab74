import { describe, expect, it, onTestFinished } from 'vitest'
import { formWith } from '../support/app.ts'
import { ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const CAPTIONS = 'WEBVTT - in English\n\n00:00.000 --> 00:02.000\nHello\n'
const MIB = 1024 ** 2

const put = (url: string, key: string, body: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/videos/${key}`, { method: 'PUT', body, headers })

async function start(...flags: string[]): Promise<string> {
  const data = await temporaryDirectory()
  const server = new ServerProcess(['--port', '0', '--data', data, '--log-level', 'error', ...flags])
  onTestFinished(async () => void (await server.stop()))
  return server.url()
}

describe('captions beside a video', () => {
  it('are taken by what they begin with, and served as text/vtt that nothing runs in', async () => {
    const url = await start()
    expect((await put(url, 'clip.mp4.vtt', `\ufeff${CAPTIONS}`)).status).toBe(201)
    const response = await fetch(`${url}/get_video_by_name/clip.mp4.vtt`)
    expect(response.headers.get('content-type')).toBe('text/vtt')
    expect(response.headers.get('content-security-policy')).toContain('sandbox')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    for (const other of ['WEBVTTX\n', '<html>WEBVTT', ' WEBVTT', 'webvtt\n'])
      expect((await put(url, 'other.vtt', other)).status).toBe(415)
  })

  it('are refused where --accept does not name them', async () => {
    const url = await start('--accept', 'video/*')
    expect((await put(url, 'a.vtt', 'WEBVTT')).status).toBe(415)
  })

  it.each([
    [MIB, 201],
    [MIB + 1, 413],
  ])('of %i bytes are answered with %i, whichever way they come', async (size, status) => {
    const url = await start()
    const large = CAPTIONS.padEnd(size, ' ')
    expect((await put(url, 'put.vtt', large)).status).toBe(status)
    // By its name it may be anything.
    expect((await put(url, 'put.txt', large)).status).toBe(status)
    expect((await put(url, 'resumable.vtt', large, { 'Upload-Complete': '?1' })).status).toBe(status)
    const form = formWith('file', 'form.vtt', large)
    expect((await fetch(`${url}/video`, { method: 'POST', body: form })).status).toBe(status)
    const { items } = await (await fetch(`${url}/videos`)).json()
    expect(items.length).toBe(status === 201 ? 4 : 0)
  })
})
