import { Readable } from 'node:stream'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { formWith, type RunningApp, startApp } from '../support/app.ts'

const TOKEN = 'correct-horse-battery'
const RIGHT = { authorization: `Bearer ${TOKEN}` }
const WRONG = { authorization: 'Bearer wrong-horse-battery' }

/** Every route by every method that it has; whether it is a write. */
const ROUTES: readonly (readonly [method: string, path: string, kind: 'read' | 'write' | 'open'])[] = [
  ['GET', '/', 'read'],
  ['HEAD', '/', 'read'],
  ['POST', '/video', 'write'],
  ['OPTIONS', '/video', 'read'],
  ['GET', '/videos', 'read'],
  ['GET', '/videos/a', 'read'],
  ['HEAD', '/videos/a', 'read'],
  ['PUT', '/videos/b', 'write'],
  ['DELETE', '/videos/b', 'write'],
  ['GET', '/get_video_by_name/a', 'read'],
  ['HEAD', '/get_video_by_name/a', 'read'],
  ['GET', '/uploads/none', 'write'],
  ['HEAD', '/uploads/none', 'write'],
  ['PATCH', '/uploads/none', 'write'],
  ['DELETE', '/uploads/none', 'write'],
  ['HEAD', '/files/none', 'write'],
  ['PATCH', '/files/none', 'write'],
  ['POST', '/files', 'write'],
  ['DELETE', '/files/none', 'write'],
  ['GET', '/assets/video/sample.mp4', 'read'],
  ['HEAD', '/assets/video/sample.mp4', 'read'],
  ['GET', '/nothing/here', 'read'],
  ['POST', '/nothing/here', 'write'],
  ['GET', '/healthz', 'open'],
  ['HEAD', '/healthz', 'open'],
  ['GET', '/sign-in', 'open'],
  ['GET', '/page/page.css', 'open'],
]

async function statusOf(url: string, method: string, path: string, headers: Record<string, string>) {
  const response = await fetch(`${url}${path}`, { method, headers, redirect: 'manual' })
  await response.arrayBuffer()
  return response.status
}

async function started(...flags: string[]): Promise<RunningApp> {
  const app = await startApp('--token', TOKEN, ...flags)
  await app.store.put('a', Readable.from([Buffer.from('hello')]))
  return app
}

async function signIn(url: string, fields: Record<string, string>, headers = {}): Promise<Response> {
  const body = new URLSearchParams(fields)
  return fetch(`${url}/sign-in`, { method: 'POST', body, headers, redirect: 'manual' })
}

const cookieOf = (response: Response) => response.headers.get('set-cookie')?.split(';')[0] ?? ''

describe.each([
  ['--token', [], (kind: string) => kind === 'write'],
  ['--token --private', ['--private'], (kind: string) => kind !== 'open'],
] as const)('%s', (_, flags, isProtected) => {
  it('asks for the token on every route that needs it, and on no other', async () => {
    // One server for all routes, because it derives a slow key from its token. Wrong tokens are counted for each address.
    const { url } = await started('--trust-proxy', ...flags)
    const cookie = cookieOf(await signIn(url, { token: TOKEN }))
    const forged = cookie.replace(/=\d/, (text) => `=${(Number(text[1]) + 1) % 10}`)
    const refused = [{}, WRONG, { cookie: forged }, { cookie: `${cookie.split('=')[0]}=` }]
    for (const [at, [method, path, kind]] of ROUTES.entries()) {
      const status = (headers: Record<string, string>) =>
        statusOf(url, method, path, { ...headers, 'x-forwarded-for': `192.0.2.${at}` })
      for (const headers of refused)
        expect((await status(headers)) === 401, `${method} ${path} ${JSON.stringify(headers)}`).toBe(
          isProtected(kind),
        )
      for (const headers of [RIGHT, { cookie }])
        expect(await status(headers), `${method} ${path} ${JSON.stringify(headers)}`).not.toBe(401)
    }
  })
})

describe('a refusal', () => {
  it('is a problem with WWW-Authenticate, and leaves nothing behind', async () => {
    const { url, store } = await started()
    const response = await fetch(`${url}/video`, { method: 'POST', body: formWith('file', 'b', 'x') })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject({ title: 'Sign in first', status: 401 })
    expect(await store.get('b')).toBeNull()
  })

  it('is the sign-in page for a browser, which leads back', async () => {
    const { url } = await started('--private')
    const response = await fetch(`${url}/?play=a%22`, { headers: { accept: 'text/html' } })
    const page = await response.text()
    expect(response.status).toBe(401)
    expect(page).toContain('method="post" action="/sign-in"')
    expect(page).toContain('name="return" value="/?play=a%22"')
    expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
  })
})

describe('signing in', () => {
  it('gives a cookie that is not the token, out of reach of scripts and other sites', async () => {
    const { url } = await started()
    const response = await signIn(url, { token: TOKEN, return: '/?play=a' })
    expect([response.status, response.headers.get('location')]).toEqual([303, '/?play=a'])
    const cookie = response.headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(/; path=\/; expires=[^;]+; samesite=strict; httponly$/)
    expect(cookie).not.toContain(TOKEN)
  })

  it('marks the cookie Secure behind a proxy that speaks HTTPS', async () => {
    const { url } = await started('--trust-proxy')
    const response = await signIn(url, { token: TOKEN }, { 'x-forwarded-proto': 'https' })
    expect(response.headers.get('set-cookie')).toMatch(/; secure;/)
  })

  it.each(['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:1', '/a\nb', ''])(
    'never leads to %j',
    async (target) => {
      const { url } = await started()
      const { headers } = await signIn(url, { token: TOKEN, return: target })
      expect(headers.get('location')).toBe('/')
    },
  )

  it('is good for every process that has the token, and for none that has another', async () => {
    const [one, two] = await Promise.all([started(), started()])
    const other = await startApp('--token', 'another-token')
    const cookie = cookieOf(await signIn(one.url, { token: TOKEN }))
    const write = (url: string) => statusOf(url, 'PUT', '/videos/b', { cookie })
    expect([await write(one.url), await write(two.url), await write(other.url)]).toEqual([201, 201, 401])
  })

  it('on one port leaves the session of another server on the same host alone', async () => {
    const [one, other] = await Promise.all([started(), startApp('--token', 'another-token')])
    const first = cookieOf(await signIn(one.url, { token: TOKEN }))
    const second = cookieOf(await signIn(other.url, { token: 'another-token' }))
    // As a browser keeps them: one cookie for each name.
    const jar = new Map([first, second].map((cookie) => cookie.split('=') as [string, string]))
    const cookie = [...jar].map((pair) => pair.join('=')).join('; ')
    const write = (url: string) => statusOf(url, 'PUT', '/videos/b', { cookie })
    expect([await write(one.url), await write(other.url)]).toEqual([201, 201])
    const headers = { cookie }
    const out = await fetch(`${one.url}/sign-out`, { method: 'POST', headers, redirect: 'manual' })
    const ended = out.headers.getSetCookie().map((field) => field.split('=')[0])
    expect(ended).toEqual([first.split('=')[0]])
  })

  it('ends on every node behind one proxy by signing out on any of them', async () => {
    const [one, two] = await Promise.all([started(), started()])
    const cookie = cookieOf(await signIn(one.url, { token: TOKEN }))
    const headers = { cookie }
    const out = await fetch(`${two.url}/sign-out`, { method: 'POST', headers, redirect: 'manual' })
    expect(out.headers.getSetCookie().map((field) => field.split('=')[0])).toContain(cookie.split('=')[0])
  })

  it('ends after 30 days, whatever the client says', async () => {
    const { url } = await started()
    const cookie = cookieOf(await signIn(url, { token: TOKEN }))
    const later = cookie.replace(/(?<==)\d+/, (expiry) => String(Number(expiry) + 1))
    expect(await statusOf(url, 'PUT', '/videos/b', { cookie: later })).toBe(401)
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    vi.setSystemTime(Date.now() + 30 * 24 * 3_600_000 - 60_000)
    expect(await statusOf(url, 'PUT', '/videos/b', { cookie })).toBe(201)
    vi.setSystemTime(Date.now() + 61_000)
    expect(await statusOf(url, 'PUT', '/videos/b', { cookie })).toBe(401)
  })

  it('is refused to a form of another site', async () => {
    const { url } = await started()
    expect((await signIn(url, { token: TOKEN }, { origin: 'https://evil.example' })).status).toBe(403)
  })

  it('takes a small form and nothing else', async () => {
    const { url } = await started()
    expect((await signIn(url, { token: TOKEN, more: 'x'.repeat(5000) })).status).toBe(413)
    const json = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }
    expect((await fetch(`${url}/sign-in`, json)).status).toBe(415)
  })

  it('ends with signing out', async () => {
    const { url } = await started()
    const cookie = cookieOf(await signIn(url, { token: TOKEN }))
    const response = await fetch(`${url}/sign-out`, {
      method: 'POST',
      headers: { cookie },
      redirect: 'manual',
    })
    expect([response.status, response.headers.get('location')]).toEqual([303, '/'])
    expect(response.headers.get('set-cookie')).toMatch(
      /^range_server_session_\d+=; path=\/; expires=Thu, 01 Jan 1970/,
    )
  })
})

describe('the page', () => {
  const page = async (url: string, headers = {}) =>
    (await fetch(url, { headers: { accept: 'text/html', ...headers } })).text()

  it('offers to sign in in place of the form, and signed in the form and to sign out', async () => {
    const { url } = await started()
    const before = await page(url)
    expect(before).toContain('href="/sign-in">Sign in to upload</a>')
    expect(before).not.toContain('id="upload"')
    expect(before).not.toContain('aria-label="Delete a"')
    expect(before).toContain('href="/?play=a"')
    const after = await page(url, { cookie: cookieOf(await signIn(url, { token: TOKEN })) })
    expect(after).toContain('id="upload"')
    expect(after).toContain('aria-label="Delete a"')
    expect(after).toContain('action="/sign-out"')
    expect(after).not.toContain('Sign in')
  })

  it('says nothing of signing in without a token, where there is nothing to sign in to', async () => {
    const { url } = await startApp()
    expect(await page(url)).not.toMatch(/sign/i)
    expect(await statusOf(url, 'GET', '/sign-in', {})).toBe(404)
  })
})

describe('wrong tokens', () => {
  it('are refused with 429 after 10 a minute, and never the right one', async () => {
    const { url } = await started()
    const write = (headers: Record<string, string>) => statusOf(url, 'PUT', '/videos/b', headers)
    for (let i = 0; i < 5; i++) expect(await write(WRONG)).toBe(401)
    for (let i = 0; i < 5; i++) expect((await signIn(url, { token: 'wrong' })).status).toBe(401)
    const limited = await fetch(`${url}/videos/b`, { method: 'PUT', headers: WRONG })
    expect(limited.status).toBe(429)
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(50)
    expect((await signIn(url, { token: 'wrong' })).status).toBe(429)
    expect(await write(RIGHT)).toBe(201)
    expect((await signIn(url, { token: TOKEN })).status).toBe(303)
    expect(await write({})).toBe(401)
  })

  it('count for the address that the proxy saw, not for what a client claims', async () => {
    const { url } = await started('--trust-proxy')
    const write = (forwarded: string) =>
      statusOf(url, 'PUT', '/videos/b', { ...WRONG, 'x-forwarded-for': forwarded })
    for (let i = 0; i < 10; i++) expect(await write(`10.0.0.${i}, 192.0.2.1`)).toBe(401)
    expect(await write('10.0.0.99, 192.0.2.1')).toBe(429)
    expect(await write('192.0.2.1, 192.0.2.2')).toBe(401)
  })

  it.each(['/', '/sign-in'])('count on GET %s, which shows whether a token is right', async (path) => {
    const { url } = await started()
    for (let i = 0; i < 10; i++) expect(await statusOf(url, 'GET', path, WRONG)).toBe(200)
    expect(await statusOf(url, 'GET', path, WRONG)).toBe(429)
    expect(await statusOf(url, 'GET', path, {})).toBe(200)
    expect(await statusOf(url, 'GET', path, RIGHT)).not.toBe(429)
    expect(await statusOf(url, 'PUT', '/videos/b', WRONG)).toBe(429)
    expect(await statusOf(url, 'PUT', '/videos/b', RIGHT)).toBe(201)
  })

  it.each([
    ['203.0.113.8', (n: number) => `203.0.113.8:${51_234 + n}`],
    ['203.0.113.8', (n: number) => `::ffff:203.0.113.8${n % 2 === 0 ? '' : ' '}`],
    ['203.0.113.8', () => '[::FFFF:cb00:7108]:443'],
    ['203.0.113.8', () => '"203.0.113.8"'],
    ['2001:db8::7', (n: number) => `[2001:db8::${n + 1}]:51234`],
    ['2001:db8::7', (n: number) => `2001:0DB8:0000:0:${n}::1`],
    ['2001:db8::7', () => '[2001:db8::7]'],
    // Entries that are no address share the count of the proxy that wrote them.
    ['unknown', (n: number) => `_hidden${n}`],
    ['unknown', () => ''],
  ])('from %s count the same in every spelling of the address', async (address, spelling) => {
    const { url } = await started('--trust-proxy')
    const write = (forwarded: string, headers = WRONG) =>
      statusOf(url, 'PUT', '/videos/b', { ...headers, 'x-forwarded-for': forwarded })
    for (let i = 0; i < 10; i++) expect(await write(spelling(i))).toBe(401)
    expect(await write(address)).toBe(429)
    expect(await write('198.51.100.1')).toBe(401)
    expect(await write(address, RIGHT)).toBe(201)
  })

  it('count for a whole /64 of IPv6', async () => {
    const { url } = await started('--trust-proxy')
    const write = (address: string) =>
      statusOf(url, 'PUT', '/videos/b', { ...WRONG, 'x-forwarded-for': address })
    for (let i = 0; i < 10; i++) expect(await write(`2001:db8::${i + 1}`)).toBe(401)
    expect(await write('2001:db8:0:0:ffff::1')).toBe(429)
    expect(await write('2001:db8:0:1::1')).toBe(401)
  })
})

describe('--private', () => {
  it('keeps content out of shared caches, on 304 as well', async () => {
    const { url } = await started('--private')
    for (const path of ['/videos/a', '/assets/video/sample.mp4']) {
      const full = await fetch(`${url}${path}`, { headers: RIGHT })
      const headers = { ...RIGHT, 'if-none-match': full.headers.get('etag') ?? '' }
      const fresh = await fetch(`${url}${path}`, { headers })
      expect([full.status, fresh.status]).toEqual([200, 304])
      for (const response of [full, fresh]) {
        expect(response.headers.get('cache-control')).toBe('private, max-age=0, must-revalidate')
        expect(response.headers.get('vary')).toBe('Authorization, Cookie')
      }
    }
  })

  it('overrules public in --cache-control', async () => {
    const flags = ['--private', '--cache-control', 'public, s-maxage=9, max-age=60']
    const { url } = await started(...flags)
    const { headers } = await fetch(`${url}/videos/a`, { headers: RIGHT })
    expect(headers.get('cache-control')).toBe('private, max-age=60')
  })

  it('lets the preflight of an allowed origin through', async () => {
    const { url } = await started('--private', '--cors-origin', 'https://player.example')
    const headers = {
      origin: 'https://player.example',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization',
    }
    const response = await fetch(`${url}/videos/a`, { method: 'OPTIONS', headers })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-headers')).toBe('authorization')
  })
})
