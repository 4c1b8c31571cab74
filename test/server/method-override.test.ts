import { describe, expect, it } from 'vitest'
import { send } from '../koa-resumable-upload/client.ts'
import { appending, begin, look, VERSION } from '../koa-resumable-upload/tus-client.ts'
import { startApp } from '../support/app.ts'

const TOKEN = 'secret-token'
const override = (method: string) => ({ 'X-HTTP-Method-Override': method })
const AUTHORIZED = { Authorization: `Bearer ${TOKEN}` }

describe('X-HTTP-Method-Override', () => {
  it.each(['POST', 'GET', 'PUT', 'OPTIONS', 'DELETE'])(
    'makes a %s a PATCH of an upload, which it completes',
    async (method) => {
      const { url } = await startApp()
      const path = await begin(url, 5)
      const fields = { ...appending(0), ...override('PATCH') }
      const { status, headers } = await send(url, method, path, fields, 'hello')
      expect([status, headers.get('upload-offset'), headers.get('tus-resumable')]).toEqual([
        204,
        '5',
        '1.0.0',
      ])
      expect(await (await fetch(`${url}/videos/a`)).text()).toBe('hello')
    },
  )

  it('makes a POST a HEAD, whose response has the fields of HEAD and no content', async () => {
    const { url } = await startApp()
    const path = await begin(url, 5)
    const head = await send(url, 'POST', path, { ...VERSION, ...override('HEAD') })
    expect([head.status, head.headers.get('upload-offset'), head.body]).toEqual([200, '0', ''])
    const unknown = '/files/aaaaaaaaaaaaaaaaaaaaaa'
    const missing = await send(url, 'POST', unknown, { ...VERSION, ...override('HEAD') })
    expect([missing.status, missing.headers.get('content-length') ?? '0', missing.body]).toEqual([
      404,
      '0',
      '',
    ])
  })

  it('makes a POST a DELETE, which removes the upload', async () => {
    const { url } = await startApp()
    const path = await begin(url, 5)
    const fields = { ...VERSION, ...override('DELETE') }
    expect((await send(url, 'POST', path, fields)).status).toBe(204)
    expect((await look(url, path))[0]).toBe(404)
  })

  it('makes a PATCH a POST, which creates an upload', async () => {
    const { url } = await startApp()
    const fields = { ...VERSION, ...override('POST'), 'Upload-Length': '5' }
    expect((await send(url, 'PATCH', '/files', fields)).status).toBe(201)
  })

  it('takes effect in lower case, too', async () => {
    const { url } = await startApp()
    const fields = { ...VERSION, ...override('delete') }
    expect((await send(url, 'POST', await begin(url, 5), fields)).status).toBe(204)
  })

  it.each(['OPTIONS', 'GET', 'HEAD', 'POST'])(
    'takes effect before the token is asked for: %s that is a DELETE or a PATCH is 401 without one',
    async (method) => {
      const { url } = await startApp('--token', TOKEN)
      const path = await begin(url, 5, AUTHORIZED)
      for (const effective of ['DELETE', 'PATCH', 'HEAD', 'POST']) {
        const fields = { ...appending(0), ...override(effective) }
        expect([effective, (await send(url, method, path, fields)).status]).toEqual([effective, 401])
        expect((await send(url, method, '/files', fields)).status).toBe(401)
      }
      const head = await send(url, 'HEAD', path, { ...VERSION, ...AUTHORIZED })
      expect([head.status, head.headers.get('upload-offset')]).toEqual([200, '0'])
    },
  )

  it('takes effect before the origin is checked, and before writes are refused', async () => {
    const { url } = await startApp()
    const path = await begin(url, 5)
    const foreign = { ...VERSION, ...override('DELETE'), Origin: 'http://evil.example' }
    expect((await send(url, 'OPTIONS', path, foreign)).status).toBe(403)
    expect((await look(url, path))[0]).toBe(200)
    const readOnly = await startApp('--read-only')
    const fields = { ...VERSION, ...override('DELETE') }
    expect((await send(readOnly.url, 'OPTIONS', path, fields)).status).toBe(403)
  })

  it.each([
    ['PUT', 405],
    ['BREW', 501],
    ['PATCH, DELETE', 501],
  ])('of a method that uploads do not have is refused: %s is %i', async (method, status) => {
    const { url } = await startApp()
    const path = await begin(url, 5)
    expect((await send(url, 'POST', path, { ...VERSION, ...override(method) })).status).toBe(status)
    expect((await look(url, path))[0]).toBe(200)
  })

  it('has no effect on other paths', async () => {
    const { url } = await startApp()
    await fetch(`${url}/videos/a`, { method: 'PUT', body: 'hello' })
    for (const path of ['/videos/a', '/Files/x', '/files/']) await send(url, 'GET', path, override('DELETE'))
    expect(await (await fetch(`${url}/videos/a`, { headers: override('DELETE') })).text()).toBe('hello')
  })

  it('shows in metrics as the effective method', async () => {
    const { url } = await startApp()
    await send(url, 'POST', await begin(url, 5), { ...VERSION, ...override('DELETE') })
    const text = await (await fetch(`${url}/metrics`)).text()
    expect(text).toContain('http_requests_total{method="DELETE",route="/files/:id",status="204"} 1')
    expect(text).not.toContain('method="POST",route="/files/:id"')
  })
})
