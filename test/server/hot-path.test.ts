import fs from 'node:fs'
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { OutgoingMessage } from 'node:http'
import { join } from 'node:path'
import type Koa from 'koa'
import { createApp, loadConfig } from 'koa-range-server'
import { expect, it, onTestFinished, vi } from 'vitest'
import { listenOn, startApp } from '../support/app.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { openTestStore } from '../support/test-store.mjs'

/** What instrumentation such as OpenTelemetry's finds on a middleware that is a router. */
interface RouterMiddleware {
  readonly router?: { readonly stack: readonly { readonly path: string; readonly stack: Koa.Middleware[] }[] }
}

/** Replaces the handlers of every route of an app, as instrumentation does, and returns the routes that requests enter. */
function recordRoutes(app: Koa): readonly string[] {
  const entered: string[] = []
  for (const { router } of app.middleware as RouterMiddleware[]) {
    for (const { path, stack } of router?.stack ?? []) {
      for (const [at, handler] of stack.entries()) {
        stack[at] = (ctx, next) => {
          entered.push(`${ctx.method} ${path} ${ctx['_matchedRoute']}`)
          return handler(ctx, next)
        }
      }
    }
  }
  return entered
}

it('shows instrumentation the route of each request', async () => {
  const directory = join(await temporaryDirectory(), 'data')
  const config = loadConfig(['--log-level', 'silent', '--accept', '*/*', '--data', directory], {})
  const app = createApp(config, openTestStore(directory, config))
  const entered = recordRoutes(app)
  const url = await listenOn(app)
  const routes: readonly (readonly [string, string, string])[] = [
    ['GET', '/videos/clip.mp4', '/videos/:key'],
    ['HEAD', '/get_video_by_name/clip.mp4', '/get_video_by_name/:video_name'],
    ['GET', '/assets/video/sample.mp4', '/assets/*path'],
    ['GET', '/page/page.css', '/page/*path'],
    ['GET', '/healthz', '/healthz'],
    ['GET', '/uploads/aaaaaaaaaaaaaaaaaaaaaa', '/uploads/:id'],
    ['GET', '/files/aaaaaaaaaaaaaaaaaaaaaa', '/files/:id'],
  ]
  for (const [method, path] of routes) await fetch(`${url}${path}`, { method })
  expect(entered).toEqual(routes.map(([method, , route]) => `${method} ${route} ${route}`))
})

it('copies the header fields of no response', async () => {
  const { url } = await startApp()
  await fetch(`${url}/videos/clip`, { method: 'PUT', body: 'WEBVTT\n\nclip' })
  const paths = ['/videos/clip', '/assets/video/sample.mp4', '/page/page.css']
  const tags = await Promise.all(
    paths.map(async (path) => (await fetch(`${url}${path}`)).headers.get('etag') ?? ''),
  )
  const copies = vi.spyOn(OutgoingMessage.prototype, 'getHeaders')
  onTestFinished(() => void copies.mockRestore())
  for (const [at, path] of paths.entries()) {
    expect((await fetch(`${url}${path}`, { headers: { range: 'bytes=0-4' } })).ok).toBe(true)
    expect((await fetch(`${url}${path}`, { headers: { 'if-none-match': tags[at] ?? '' } })).status).toBe(304)
  }
  expect(copies).not.toHaveBeenCalled()
})

async function startAssets(): Promise<{ readonly root: string; readonly url: string }> {
  const root = join(await temporaryDirectory(), 'assets')
  await mkdir(root)
  await writeFile(join(root, 'clip.mp4'), 'first')
  const { url } = await startApp('--assets', root)
  return { root, url }
}

it('creates no stream for a file of /assets that has not changed', async () => {
  const { url } = await startAssets()
  const streams = vi.spyOn(fs, 'createReadStream')
  onTestFinished(() => void streams.mockRestore())
  const opened = async () => {
    const before = streams.mock.calls.length
    const response = await fetch(`${url}/assets/clip.mp4`, { headers: { range: 'bytes=1-2' } })
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      206,
      'video/mp4',
      'ir',
    ])
    return streams.mock.calls.length - before
  }
  // While a file may have changed within the tick of the clock, its entity-tag is weak, and it is described anew.
  await expect.poll(opened).toBe(0)
})

it('sends the current bytes of a file of /assets after it was replaced', async () => {
  const { root, url } = await startAssets()
  const etags = new Set<string | null>()
  for (const text of ['first', 'second', 'third']) {
    await writeFile(join(root, 'new'), text)
    await rename(join(root, 'new'), join(root, 'clip.mp4'))
    for (let i = 0; i < 3; i++) {
      const response = await fetch(`${url}/assets/clip.mp4`)
      expect(await response.text()).toBe(text)
      etags.add(response.headers.get('etag')?.replace(/^W\/|-w/g, '') ?? null)
    }
  }
  expect(etags.size).toBe(3)
})

it('serves the folder to which a link given as --assets leads now', async () => {
  const directory = await temporaryDirectory()
  const release = async (name: string) => {
    await mkdir(join(directory, name))
    await writeFile(join(directory, name, 'clip.mp4'), name)
    await symlink(name, join(directory, 'next'))
    await rename(join(directory, 'next'), join(directory, 'current'))
  }
  await release('first')
  const { url } = await startApp('--assets', join(directory, 'current'))
  const text = async (path: string) => (await fetch(`${url}/assets/${path}`)).text()
  expect([await text('clip.mp4'), await text('clip.mp4')]).toEqual(['first', 'first'])
  await release('second')
  expect([await text('clip.mp4'), await text('clip.mp4')]).toEqual(['second', 'second'])
  await symlink('../first/clip.mp4', join(directory, 'second', 'outside.mp4'))
  expect((await fetch(`${url}/assets/outside.mp4`)).status).toBe(404)
})
