import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { send } from '../koa-resumable-upload/client.ts'
import { formWith, startApp } from '../support/app.ts'
import { ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { childrenOf } from '../support/workers.ts'

/** A proxy names the client; without a token, that has to be allowed. */
const PROXIED = ['--trust-proxy', '--allow-anonymous']

type Fields = Readonly<Record<string, string>>

const TUS: Fields = { 'Tus-Resumable': '1.0.0', 'Upload-Length': '5' }
const DRAFT: Fields = { 'Upload-Draft-Interop-Version': '8', 'Upload-Complete': '?0', 'Upload-Length': '5' }

const from = (client: string): Fields => ({ 'X-Forwarded-For': client })
const byTus = (url: string, client: string) => send(url, 'POST', '/files', { ...TUS, ...from(client) })
const byDraft = (url: string, client: string) => send(url, 'POST', '/video', { ...DRAFT, ...from(client) })
const statusesOf = async (answers: readonly ReturnType<typeof byTus>[]) =>
  (await Promise.all(answers)).map(({ status }) => status).sort()

async function start(data: string, ...flags: string[]): Promise<ServerProcess> {
  const server = new ServerProcess(['--port', '0', '--data', data, '--accept', '*/*', ...PROXIED, ...flags])
  onTestFinished(async () => {
    const workers = await childrenOf(server.child.pid)
    await server.stop('SIGKILL')
    for (const pid of workers) process.kill(pid, 'SIGKILL')
  })
  return server
}

describe('--max-unfinished-uploads', () => {
  it('answers 429 with Retry-After to an address with a quarter of them, by either protocol', async () => {
    const { url } = await startApp('--max-unfinished-uploads', '8', ...PROXIED)
    expect((await byTus(url, '192.0.2.1')).status).toBe(201)
    expect((await byDraft(url, '192.0.2.1')).status).toBe(201)
    for (const refused of [await byTus(url, '192.0.2.1'), await byDraft(url, '192.0.2.1')]) {
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60'])
      expect(JSON.parse(refused.body).detail).toContain(
        'Your address has reached its limit of unfinished uploads',
      )
    }
    expect((await byDraft(url, '192.0.2.2')).status).toBe(201)
    const headers = from('192.0.2.1')
    expect((await fetch(`${url}/videos/a`, { method: 'PUT', body: 'x', headers })).status).toBe(201)
    const body = formWith('file', 'a', 'x')
    expect((await fetch(`${url}/video`, { method: 'POST', body, headers })).status).toBe(201)
  })

  it('counts a /64 of IPv6 as one address, and answers 429 to all addresses when all places are taken', async () => {
    const { url } = await startApp('--max-unfinished-uploads', '4', ...PROXIED)
    expect((await byTus(url, '2001:db8::1')).status).toBe(201)
    expect((await byTus(url, '2001:db8::2')).status).toBe(429)
    for (const number of [1, 2, 3]) expect((await byTus(url, `192.0.2.${number}`)).status).toBe(201)
    const refused = await byTus(url, '192.0.2.4')
    expect(refused.status).toBe(429)
    expect(JSON.parse(refused.body).detail).toContain(
      'This server has reached its limit of unfinished uploads',
    )
  })

  it('no longer counts an upload that is complete or cancelled', async () => {
    const { url } = await startApp('--max-unfinished-uploads', '8', ...PROXIED)
    const create = () => byTus(url, '192.0.2.1')
    const path = (await create()).headers.get('location') ?? ''
    const other = (await create()).headers.get('location') ?? ''
    expect((await create()).status).toBe(429)
    const fields = { 'Tus-Resumable': '1.0.0', 'Content-Type': 'application/offset+octet-stream' }
    expect((await send(url, 'PATCH', path, { ...fields, 'Upload-Offset': '0' }, 'hello')).status).toBe(204)
    expect((await create()).status).toBe(201)
    expect((await create()).status).toBe(429)
    expect((await send(url, 'DELETE', other, fields)).status).toBe(204)
    expect((await create()).status).toBe(201)
    expect((await create()).status).toBe(429)
  })

  it('notices within 10 seconds that another process has removed uploads, and does not count refused ones', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const { url, store } = await startApp('--max-unfinished-uploads', '4', ...PROXIED)
    const create = () => byDraft(url, '192.0.2.1')
    const id = (await create()).headers.get('location')?.split('/').at(-1) ?? ''
    expect((await create()).status).toBe(429)
    await store.deleteUpload(id)
    expect((await create()).status).toBe(429)
    vi.advanceTimersByTime(10_001)
    expect((await create()).status).toBe(201)
  })

  it('holds for all workers together', async () => {
    const server = await start(await temporaryDirectory(), '--workers', '3', '--max-unfinished-uploads', '16')
    const url = await server.url()
    const answers = Array.from({ length: 12 }, (_, at) => (at % 2 ? byTus : byDraft)(url, '192.0.2.1'))
    expect(await statusesOf(answers)).toEqual([...Array(4).fill(201), ...Array(8).fill(429)])
  })

  it('holds across a restart, for which no address is stored', async () => {
    const data = await temporaryDirectory()
    const flags = ['--max-unfinished-uploads', '8']
    const first = await start(data, ...flags)
    const url = await first.url()
    expect(await statusesOf([byTus(url, '192.0.2.1'), byDraft(url, '192.0.2.1')])).toEqual([201, 201])
    await first.stop('SIGKILL')
    const names = (await readdir(join(data, 'staging'))).filter((name) => name.endsWith('.json'))
    for (const name of names)
      expect(await readFile(join(data, 'staging', name), 'utf8')).not.toContain('192.0')
    const second = await (await start(data, ...flags)).url()
    expect(await statusesOf([byTus(second, '192.0.2.1'), byDraft(second, '192.0.2.1')])).toEqual([429, 429])
    expect((await byDraft(second, '192.0.2.2')).status).toBe(201)
  })
})

describe('a server that starts with unfinished uploads', () => {
  it('answers requests before it has recovered all of them', async () => {
    const data = await temporaryDirectory()
    await mkdir(join(data, 'staging'), { recursive: true })
    // Recovery waits for a writer of this pipe.
    await promisify(execFile)('mkfifo', [join(data, 'staging', `${'a'.repeat(22)}.json`)])
    const url = await (await start(data)).url()
    expect((await fetch(`${url}/videos/a`, { method: 'PUT', body: 'x' })).status).toBe(201)
  })
})
