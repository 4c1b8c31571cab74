import { describe, expect, it } from 'vitest'
import { formWith, startApp } from '../support/app.ts'
import { exchange } from '../support/raw.ts'

const FILM = 'the whole film'

interface Answer {
  readonly status: number
  readonly head: string
  readonly body: string
}

/** One request whose target is sent as it is: `fetch` would normalize it. */
async function send(
  url: string,
  method: string,
  target: string,
  fields: readonly string[] = [],
  body = '',
): Promise<Answer> {
  const length = body === '' ? [] : [`Content-Length: ${body.length}`]
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${new URL(url).host}`, 'Connection: close']
  const answer = await exchange(url, `${[...lines, ...fields, ...length].join('\r\n')}\r\n\r\n${body}`)
  const end = answer.indexOf('\r\n\r\n')
  return { status: Number(answer.slice(9, 12)), head: answer.slice(0, end), body: answer.slice(end + 4) }
}

function fieldOf({ head }: Answer, name: string): string | null {
  return new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]?.trim() ?? null
}

async function startWithFilm(...flags: string[]): Promise<string> {
  const { url } = await startApp(...flags)
  expect((await fetch(`${url}/videos/film`, { method: 'PUT', body: FILM })).status).toBe(201)
  return url
}

async function filmOf(url: string): Promise<string> {
  return (await fetch(`${url}/videos/film`)).text()
}

/** Spellings of /videos/film and others that are no route; ORIGIN stands for that of the server. */
const SPELLINGS = [
  '/videos/film/',
  '/videos/film//',
  '/videos/film/.',
  '/Videos/film',
  '/VIDEOS/film/',
  '/vide%6Fs/film',
  '/%76ideos/film',
  '/videos%2Ffilm',
  '/videos%2ffilm',
  '//videos/film',
  '/videos//film',
  '/./videos/film',
  '/videos/./film',
  '/videos/x/../film',
  '/videos;a=b/film',
  '/videos/',
  '/Videos',
  '/uploads/',
  '/Uploads',
  '/files//',
  '/Files',
  '/video/',
  '/Video',
  '/get_video_by_name',
  '/Get_video_by_name/film',
  '/assets',
  '/assets/',
  '/Assets/video/sample.mp4',
  '/%61ssets/video/sample.mp4',
  '/Page/page.js',
  '/healthz/',
  '/Healthz',
  '/videos/film/?a=b',
  'ORIGIN/videos/film/',
  'ORIGIN/VIDEOS/film',
  'ORIGIN//videos/film',
]

/** Fields by which content may be a part. */
const PARTS: readonly (readonly string[])[] = [
  ['Upload-Complete: ?0'],
  ['Upload-Complete: ?0', 'Upload-Draft-Interop-Version: 6'],
  ['Upload-Incomplete: ?1', 'Upload-Draft-Interop-Version: 3'],
]

/** Fields that the protocol ignores because they are malformed or incomplete, and which still say that. */
const UNCLEAR_PARTS: readonly (readonly string[])[] = [
  ['Upload-Complete: 0'],
  ['Upload-Complete: false'],
  ['Upload-Complete:'],
  ['Upload-Complete: ?0', 'Upload-Complete: ?0'],
  ['Upload-Incomplete: ?1'],
  ['Upload-Incomplete: ?1', 'Upload-Draft-Interop-Version: 6'],
  ['Upload-Offset: 4'],
  ['Upload-Length: 100'],
  ['Upload-Defer-Length: 1'],
  ['Tus-Resumable: 1.0.0', 'Upload-Length: 100'],
  ['Content-Range: bytes 0-3/14'],
  ['Content-Type: application/partial-upload'],
  ['Content-Type: application/offset+octet-stream'],
]

describe('a path that is spelled differently from the route', () => {
  it('is 404 for every method, and publishes nothing', async () => {
    const url = await startWithFilm()
    for (const spelling of SPELLINGS) {
      const target = spelling.replace('ORIGIN', url)
      const bare = ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PATCH', 'POST', 'PUT'].map((method) =>
        send(url, method, target),
      )
      const parts = [[], ...PARTS].flatMap((fields) =>
        ['PUT', 'POST'].map((method) => send(url, method, target, fields, 'abcd')),
      )
      const answers = await Promise.all([...bare, ...parts])
      expect([spelling, ...new Set(answers.map(({ status }) => status))]).toEqual([spelling, 404])
      expect([spelling, await filmOf(url)]).toEqual([spelling, FILM])
    }
    const { items } = await (await fetch(`${url}/videos`)).json()
    expect(items).toHaveLength(1)
  })

  it.each(['/videos/%66ilm', '/videos/film?a=b', 'ORIGIN/videos/film'])(
    'is the route if only its key, its query or its form differ: %s',
    async (spelling) => {
      const url = await startWithFilm()
      const target = spelling.replace('ORIGIN', url)
      expect((await send(url, 'GET', target)).body).toBe(FILM)
      const { status, head } = await send(url, 'PUT', target, ['Upload-Complete: ?0'], 'abcd')
      expect([status, /^Location: \/uploads\//im.test(head)]).toEqual([201, true])
      expect(await filmOf(url)).toBe(FILM)
    },
  )

  it('gets no more than another unknown path from a private server', async () => {
    const { url } = await startApp('--token', 'secret-token', '--private')
    for (const path of ['/Healthz', '/healthz/', '/Page/page.js', '/%70age/page.js', '/page', '/Sign-in'])
      expect([path, (await send(url, 'GET', path)).status]).toEqual([path, 401])
    expect((await send(url, 'GET', '/healthz')).status).toBe(200)
  })

  it('is counted as other', async () => {
    const url = await startWithFilm()
    for (const path of ['/Videos/film', '/videos/film/', '/videos/film']) await send(url, 'GET', path)
    const text = await (await fetch(`${url}/metrics`)).text()
    expect(text).toContain('http_requests_total{method="GET",route="other",status="404"} 2')
    expect(text).toContain('http_requests_total{method="GET",route="/videos/:key",status="200"} 1')
  })
})

describe('a target that has no path', () => {
  it.each(['http://', '*', 'x:y'])('is a refusal, and the server serves on: GET %s', async (target) => {
    const { url } = await startApp()
    const { status } = await send(url, 'GET', target, ['X-HTTP-Method-Override: PUT'])
    expect([400, 404, 421]).toContain(status)
    expect((await send(url, 'GET', '/healthz')).status).toBe(200)
  })
})

describe('content that may be a part of an upload', () => {
  it('is stored as a whole neither by PUT nor by a form', async () => {
    const url = await startWithFilm()
    const form =
      '--b\r\nContent-Disposition: form-data; name="file"; filename="part"\r\n\r\nabcd\r\n--b--\r\n'
    for (const fields of UNCLEAR_PARTS) {
      const typed = fields.some((field) => field.startsWith('Content-Type'))
      const type = typed ? [] : ['Content-Type: multipart/form-data; boundary=b']
      const put = await send(url, 'PUT', '/videos/film', fields, 'abcd')
      const posted = await send(url, 'POST', '/video', [...fields, ...type], form)
      expect([fields, put.status, posted.status]).toEqual([fields, 400, typed ? 415 : 400])
      expect([fields, await filmOf(url)]).toEqual([fields, FILM])
    }
    const { items } = await (await fetch(`${url}/videos`)).json()
    expect(items).toHaveLength(1)
  })

  it('may not have Content-Range when it creates an upload, by any route', async () => {
    const url = await startWithFilm()
    for (const [method, path] of [
      ['PUT', '/videos/film'],
      ['POST', '/video'],
      ['POST', '/uploads'],
    ] as const) {
      const fields = ['Upload-Complete: ?1', 'Content-Range: bytes 0-3/14']
      expect([path, (await send(url, method, path, fields, 'abcd')).status]).toEqual([path, 400])
    }
  })

  it('is not what a form with Upload-Complete: ?1 has', async () => {
    const { url } = await startApp()
    const body = formWith('file', 'a', 'hello')
    const response = await fetch(`${url}/video`, {
      method: 'POST',
      body,
      headers: { 'Upload-Complete': '?1' },
    })
    expect(response.status).toBe(201)
  })
})

const ROUTES = [
  '/',
  '/assets/video/sample.mp4',
  '/files',
  '/get_video_by_name/film',
  '/healthz',
  '/metrics',
  '/page/page.js',
  '/readyz',
  '/requests',
  '/uploads',
  '/video',
  '/videos',
  '/videos/film',
]

describe('OPTIONS', () => {
  it('lists the methods that a path supports, and no other', async () => {
    const url = await startWithFilm()
    for (const path of ROUTES) await expectMethods(url, path)
  })

  async function expectMethods(url: string, path: string): Promise<void> {
    const options = await send(url, 'OPTIONS', path)
    expect(options.status).toBe(204)
    const allowed = fieldOf(options, 'Allow')?.split(', ') ?? []
    const supported = ['OPTIONS']
    // DELETE comes last: others need the object.
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      const { status, head } = await send(url, method, path)
      if (status === 405) expect(head).toMatch(new RegExp(`^Allow: ${allowed.join(', ')}$`, 'im'))
      else supported.push(method)
    }
    expect([path, ...allowed.toSorted()]).toEqual([path, ...supported.toSorted()])
    expect(fieldOf(options, 'Accept-Patch')).toBe(null)
  }

  it.each([
    ['/video', 'POST, OPTIONS'],
    ['/uploads', 'POST, OPTIONS'],
    ['/videos/film', 'GET, HEAD, PUT, DELETE, OPTIONS'],
    ['*', 'OPTIONS'],
  ])('announces the limits of uploads on %s', async (path, allow) => {
    const url = await startWithFilm('--max-file-size', '1000')
    const options = await send(url, 'OPTIONS', path)
    expect([options.status, fieldOf(options, 'Allow'), fieldOf(options, 'Upload-Limit')]).toEqual([
      204,
      allow,
      'max-size=1000, max-age=86400',
    ])
  })

  it('announces Accept-Patch for uploads in progress, where PATCH is supported', async () => {
    const { url } = await startApp()
    const created = await send(url, 'POST', '/uploads', ['Upload-Complete: ?0', 'Content-Length: 0'])
    const options = await send(url, 'OPTIONS', fieldOf(created, 'Location') ?? '')
    expect([options.status, fieldOf(options, 'Accept-Patch')]).toEqual([204, 'application/partial-upload'])
    expect(fieldOf(options, 'Allow')?.split(', ').toSorted()).toEqual(
      ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH'].toSorted(),
    )
    expect((await send(url, 'OPTIONS', '/uploads/aaaaaaaaaaaaaaaaaaaaaa')).status).toBe(404)
  })

  it('lists no method that changes something on a server that is read-only', async () => {
    const { url } = await startApp('--read-only')
    expect(fieldOf(await send(url, 'OPTIONS', '/videos/film'), 'Allow')).toBe('GET, HEAD, OPTIONS')
    expect(fieldOf(await send(url, 'OPTIONS', '/video'), 'Allow')).toBe('OPTIONS')
    expect((await send(url, 'OPTIONS', '/uploads')).status).toBe(404)
    expect((await send(url, 'DELETE', '/videos/film')).status).toBe(403)
    expect((await send(url, 'POST', '/uploads')).status).toBe(403)
    expect((await send(url, 'PATCH', '/videos/film')).status).toBe(405)
  })

  it('is 404 on paths of signing in if the server has no token', async () => {
    const { url } = await startApp()
    expect((await send(url, 'OPTIONS', '/sign-in')).status).toBe(404)
    const withToken = await startApp('--token', 'secret-token')
    expect(fieldOf(await send(withToken.url, 'OPTIONS', '/sign-in'), 'Allow')).toBe(
      'GET, HEAD, POST, OPTIONS',
    )
  })
})

describe('POST /files/', () => {
  it('is POST /files, as tus clients have it', async () => {
    const { url } = await startApp()
    const fields = ['Tus-Resumable: 1.0.0', 'Upload-Length: 5', 'Content-Length: 0']
    const created = await send(url, 'POST', '/files/', fields)
    expect([created.status, fieldOf(created, 'Location')]).toEqual([
      201,
      expect.stringMatching(/^\/files\/[\w-]+$/),
    ])
    const withToken = await startApp('--token', 'secret-token')
    expect((await send(withToken.url, 'POST', '/files/', fields)).status).toBe(401)
  })
})

describe('POST /uploads', () => {
  it('creates an upload by the draft, which becomes a video under its name', async () => {
    const { url } = await startApp()
    const name = 'Content-Disposition: attachment; filename="clip.mp4"'
    const created = await send(url, 'POST', '/uploads', ['Upload-Complete: ?0', name], 'hello')
    expect(created.status).toBe(201)
    const append = ['Content-Type: application/partial-upload', 'Upload-Offset: 5', 'Upload-Complete: ?1']
    const done = await send(url, 'PATCH', fieldOf(created, 'Location') ?? '', append, ' world')
    expect([done.status, fieldOf(done, 'Location')]).toEqual([201, '/get_video_by_name/clip.mp4'])
    expect(await (await fetch(`${url}/videos/clip.mp4`)).text()).toBe('hello world')
  })

  it('stores content that is sent whole, and replaces nothing', async () => {
    const { url } = await startApp()
    const name = 'Content-Disposition: attachment; filename="clip.mp4"'
    const keys: string[] = []
    for (const content of ['one', 'two']) {
      const { status, body } = await send(url, 'POST', '/uploads', ['Upload-Complete: ?1', name], content)
      expect(status).toBe(201)
      keys.push(JSON.parse(body).key)
    }
    expect(keys).toEqual(['clip.mp4', 'clip-2.mp4'])
    const unnamed = await send(url, 'POST', '/uploads', ['Upload-Complete: ?1'], 'three')
    expect(unnamed.status).toBe(201)
  })

  it('says what is missing without Upload-Complete, and where forms go', async () => {
    const { url } = await startApp()
    const plain = await send(url, 'POST', '/uploads', ['Content-Type: video/mp4'], 'hello')
    expect([plain.status, JSON.parse(plain.body).detail]).toEqual([
      400,
      expect.stringContaining('Upload-Complete: ?1'),
    ])
    const body = formWith('file', 'a', 'hello')
    for (const headers of [{}, { 'Upload-Complete': '?1' }]) {
      const form = await fetch(`${url}/uploads`, { method: 'POST', body, headers })
      expect([form.status, (await form.json()).detail]).toEqual([415, expect.stringContaining('POST /video')])
    }
  })

  it('needs the token, and is refused for other origins', async () => {
    const { url } = await startApp('--token', 'secret-token')
    const fields = ['Upload-Complete: ?0', 'Content-Length: 0']
    expect((await send(url, 'POST', '/uploads', fields)).status).toBe(401)
    const token = 'Authorization: Bearer secret-token'
    expect((await send(url, 'POST', '/uploads', [...fields, token])).status).toBe(201)
    const foreign = [...fields, token, 'Origin: http://evil.example']
    expect((await send(url, 'POST', '/uploads', foreign)).status).toBe(403)
  })
})

describe('the name in Content-Disposition', () => {
  const bytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1')

  it.each([
    ['raw UTF-8', bytes('attachment; filename="zażółć 映画.mp4"'), 'zażółć 映画.mp4'],
    ['raw UTF-8 without quotes', bytes('attachment; filename=zażółć.mp4'), 'zażółć.mp4'],
    ['Latin-1', 'attachment; filename="caf\xe9.mp4"', 'café.mp4'],
    ['filename* beside a plain one', 'attachment; filename="a.mp4"; filename*=UTF-8\'\'%C3%A9.mp4', 'é.mp4'],
    [
      'filename* whose text looks like UTF-8 bytes',
      "attachment; filename*=UTF-8''%C3%83%C2%A9.mp4",
      'Ã©.mp4',
    ],
  ])('is read as %s', async (_, field, key) => {
    const { url } = await startApp()
    const fields = ['Upload-Complete: ?1', `Content-Disposition: ${field}`]
    const { status, body } = await send(url, 'POST', '/video', fields, 'hello')
    expect([status, JSON.parse(Buffer.from(body, 'latin1').toString('utf8')).key]).toEqual([201, key])
  })
})

describe('conditions of a request for a video that does not exist', () => {
  it.each([
    ['If-Match: "x"'],
    ['If-Match: *'],
    ['If-None-Match: *'],
    ['If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT'],
  ])('do not make a DELETE anything but 404 (RFC 9110 §13.2.1): %s', async (field) => {
    const { url } = await startApp()
    expect((await send(url, 'DELETE', '/videos/none', [field])).status).toBe(404)
  })

  it('still make a PUT 412, and a DELETE of one that exists', async () => {
    const url = await startWithFilm()
    for (const field of ['If-Match: "x"', 'If-Match: *'])
      expect((await send(url, 'PUT', '/videos/none', [field], 'abcd')).status).toBe(412)
    expect((await send(url, 'DELETE', '/videos/film', ['If-Match: "x"'])).status).toBe(412)
    expect((await send(url, 'DELETE', '/videos/film', ['If-Match: *'])).status).toBe(204)
  })
})
