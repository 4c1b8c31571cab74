import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createApp, loadConfig } from 'koa-range-server'
import { createFsStore } from 'upload-store'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Answer, RawRequest, send } from '../koa-resumable-upload/client.ts'
import { listenOn } from '../support/app.ts'
import { ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'

type Fields = Readonly<Record<string, string>>

interface Protocol {
  readonly name: string
  readonly create: readonly [path: string, fields: Fields]
  readonly fields: Fields
  readonly appending: (offset: number, last: boolean) => Fields
  /** Methods that read the upload or change it, besides PATCH. */
  readonly methods: readonly string[]
}

const DRAFT: Fields = { 'Upload-Draft-Interop-Version': '8' }
const TUS: Fields = { 'Tus-Resumable': '1.0.0' }

const PROTOCOLS: readonly Protocol[] = [
  {
    name: 'the draft',
    create: ['/video', { ...DRAFT, 'Upload-Complete': '?0', 'Upload-Length': '20' }],
    fields: DRAFT,
    appending: (offset, last) => ({
      ...DRAFT,
      'Content-Type': 'application/partial-upload',
      'Upload-Offset': String(offset),
      'Upload-Complete': last ? '?1' : '?0',
    }),
    methods: ['HEAD', 'GET', 'DELETE'],
  },
  {
    name: 'tus',
    create: ['/files', { ...TUS, 'Upload-Length': '20' }],
    fields: TUS,
    appending: (offset) => ({
      ...TUS,
      'Content-Type': 'application/offset+octet-stream',
      'Upload-Offset': String(offset),
    }),
    methods: ['HEAD', 'DELETE'],
  },
]

/** A second server on the directory, in this process, whose patience a test can end. */
async function startSecond(
  data: string,
): Promise<{ url: string; impatient<T>(task: Promise<T>): Promise<T> }> {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const store = createFsStore(data)
  onTestFinished(() => store.close())
  const config = loadConfig(['--log-level', 'silent', '--accept', '*/*'], {})
  const impatient = async <T>(task: Promise<T>) => {
    const timer = setInterval(() => vi.advanceTimersByTime(500), 20)
    return task.finally(() => clearInterval(timer))
  }
  return { url: await listenOn(createApp(config, store)), impatient }
}

async function stop(pid: number | undefined): Promise<void> {
  process.kill(pid ?? 0, 'SIGSTOP')
  await expect.poll(() => readFile(`/proc/${pid}/stat`, 'utf8')).toMatch(/\) T /)
}

describe.skipIf(process.platform !== 'linux')('an upload whose server process is stopped', () => {
  it.each(PROTOCOLS)(
    'is 503 with Retry-After in another process, by $name, and loses nothing',
    async (protocol) => {
      const { create, fields, appending, methods } = protocol
      const data = await temporaryDirectory()
      const first = new ServerProcess(['--port', '0', '--data', data, '--accept', '*/*'])
      onTestFinished(async () => void (await first.stop('SIGKILL')))
      const url = await first.url()
      const created = await send(url, 'POST', ...create)
      const path = new URL(created.headers.get('location') ?? '', url).pathname
      const append = new RawRequest(url, 'PATCH', path, { ...appending(0, true), 'Content-Length': '20' })
      append.write('0123456789')
      const staged = async () => (await readdir(join(data, 'staging'))).join()
      await expect.poll(staged).toContain('.lock')
      await stop(first.child.pid)

      const { url: other, impatient } = await startSecond(data)
      const ask = (method: string): Promise<Answer> => send(other, method, path, fields)
      const refused = await impatient(ask('HEAD'))
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
      // None of these waits in turn for the ones before it.
      const more = [...methods, ...methods].map(ask)
      const patch = send(
        other,
        'PATCH',
        path,
        { ...appending(10, true), 'Content-Length': '10' },
        'abcdefghij',
      )
      for (const answer of await Promise.all([...more, patch])) expect(answer.status).toBe(503)
      expect((await fetch(`${other}/videos/b`, { method: 'PUT', body: 'x' })).status).toBe(201)

      process.kill(first.child.pid ?? 0, 'SIGCONT')
      append.write('abcdefghij')
      const offset = async () => (await ask('HEAD')).headers.get('upload-offset')
      await expect.poll(offset).toMatch(/^(?:0|10|20)$/)
      // The server that was stopped cuts the request off, unless it reads all bytes first. A busy one was stopped before it
      // had read the first ones.
      await append.answer.catch(() => null)
      const content = '0123456789abcdefghij'
      const reached = Number(await offset())
      if (reached < content.length) {
        const fields = { ...appending(reached, true), 'Content-Length': String(content.length - reached) }
        expect((await send(other, 'PATCH', path, fields, content.slice(reached))).status).toBeLessThan(300)
      }
      const digest = createHash('sha256').update(content).digest('hex')
      const uploaded = async () => {
        const { items } = await (await fetch(`${other}/videos`)).json()
        return items.filter(({ key }: { key: string }) => key !== 'b')
      }
      // The server that was stopped may have cut the request off and still be publishing its upload.
      await expect.poll(uploaded).toMatchObject([{ size: 20, digest }])
    },
  )
})
