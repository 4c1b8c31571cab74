import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { REPOSITORY, ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'

describe('the preview of a link to a video', () => {
  let directory: string
  let server: ServerProcess
  let url: string
  const VIDEO = readFile(join(REPOSITORY, 'apps/server/assets/video/sample.mp4'))

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'koa-range-'))
    server = new ServerProcess(['--port', '0', '--data', join(directory, 'data')])
    url = await server.url()
    const created = await fetch(`${url}/video?duration=12.5`, {
      method: 'POST',
      headers: {
        'Upload-Complete': '?1',
        'Content-Disposition': "attachment; filename*=UTF-8''F%C3%A4hre%20%26%20%3CCo%3E.mp4",
      },
      body: new Uint8Array(await VIDEO),
    })
    expect(created.status).toBe(201)
  })

  afterAll(async () => {
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  })

  const KEY = 'Fähre & <Co>.mp4'
  const path = `/?play=${encodeURIComponent(KEY)}`
  const tagsOf = async (accept: string, link = path) => {
    const response = await fetch(`${url}${link}`, { headers: { accept } })
    const text = await response.text()
    return Object.fromEntries(
      [...text.matchAll(/<meta (?:property|name)="((?:og|twitter):[^"]+)" content="([^"]*)">/g)].map(
        ([, name = '', content = '']) => [name, content],
      ),
    )
  }

  it.each(['text/html', '*/*'])(
    'has its name, its address and its duration, for Accept: %s',
    async (accept) => {
      expect(await tagsOf(accept)).toEqual({
        'og:title': 'Fähre &amp; &lt;Co&gt;.mp4',
        'og:type': 'video.other',
        'og:url': `${url}${path}`,
        'og:video': `${url}/get_video_by_name/${encodeURIComponent(KEY)}`,
        'og:video:type': 'video/mp4',
        'og:video:duration': '13',
        'twitter:card': 'summary',
      })
    },
  )

  it('has its picture, if one is stored beside it', async () => {
    const poster = `${KEY}.poster.jpg`
    const jpeg = Buffer.from('ffd8ffe000104a46494600010100000100010000ffdb', 'hex')
    await fetch(`${url}/videos/${encodeURIComponent(poster)}`, { method: 'PUT', body: jpeg })
    expect(await tagsOf('*/*')).toMatchObject({
      'og:image': `${url}/get_video_by_name/${encodeURIComponent(poster)}`,
      'twitter:card': 'summary_large_image',
    })
  })

  it('is absent for a video that does not exist, and of the greeting', async () => {
    expect(await tagsOf('*/*', '/?play=none.mp4')).toEqual({})
    expect(await (await fetch(`${url}/`)).json()).toHaveProperty('message')
  })

  it('is absent for clients without the token of a private server', async () => {
    const data = join(await temporaryDirectory(), 'data')
    const hidden = new ServerProcess(['--port', '0', '--data', data, '--private'], {
      RANGE_SERVER_TOKEN: 'a-token-of-this-test',
    })
    try {
      const base = await hidden.url()
      const put = { method: 'PUT', body: new Uint8Array(await VIDEO) }
      await fetch(`${base}/videos/secret.mp4`, {
        ...put,
        headers: { authorization: 'Bearer a-token-of-this-test' },
      })
      const response = await fetch(`${base}/?play=secret.mp4`)
      expect([response.status, await response.text()]).toEqual([401, expect.not.stringContaining('og:')])
    } finally {
      await hidden.stop()
    }
  })
})
