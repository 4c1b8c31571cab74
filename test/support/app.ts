import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type Koa from 'koa'
import { createApp, loadConfig } from 'koa-range-server'
import type { UploadStore } from 'upload-store'
import { onTestFinished } from 'vitest'
import { temporaryDirectory } from './temporary.ts'
import { openTestStore } from './test-store.mjs'

export interface RunningApp {
  readonly url: string
  readonly directory: string
  readonly store: UploadStore
}

/** The server's app in this process, which takes any content unless told otherwise, until the test has finished. */
export async function startApp(...flags: string[]): Promise<RunningApp> {
  const directory = join(await temporaryDirectory(), 'data')
  const config = loadConfig(['--log-level', 'silent', '--accept', '*/*', '--data', directory, ...flags], {})
  const store = openTestStore(directory, config)
  return { url: await listenOn(createApp(config, store)), directory, store }
}

/** The URL of an app in this process, until the test has finished. */
export function listenOn(app: Koa): Promise<string> {
  return serve(app.callback())
}

/** The URL of a listener in this process, until the test has finished. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export function formWith(field: string, name: string, content: string | Uint8Array<ArrayBuffer>): FormData {
  const form = new FormData()
  form.append(field, new Blob([content]), name)
  return form
}
