import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'

function every(milliseconds: number, act: () => void): void {
  const timer = setInterval(act, milliseconds)
  onTestFinished(() => clearInterval(timer))
}

describe('an upload of 1 byte a second', () => {
  it('is cut in under 45 s with 408 and leaves nothing, while one of 50 KB/s lives', async () => {
    const data = join(await temporaryDirectory(), 'data')
    const server = new ServerProcess(['--port', '0', '--data', data, '--accept', '*/*'])
    onTestFinished(async () => void (await server.stop('SIGKILL')))
    const port = Number(new URL(await server.url()).port)
    const head = 'Host: 127.0.0.1\r\nContent-Length: 10000000\r\n'
    const put = `PUT /videos/a HTTP/1.1\r\n${head}\r\n`
    const form = `POST /video HTTP/1.1\r\n${head}Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n`
    const slow = [open(port, put), open(port, form)]
    const honest = [open(port, put), open(port, form)]
    for (const socket of slow) every(1000, () => socket.write('x'))
    for (const socket of honest) every(100, () => socket.write('x'.repeat(5000)))
    const started = performance.now()
    const answers = await Promise.all(slow.map(textUntilClosed))
    expect(performance.now() - started).toBeLessThan(45_000)
    for (const answer of answers) {
      expect(answer).toMatch(/^HTTP\/1\.1 408 /)
      expect(answer).toMatch(/connection: close/i)
      expect(answer).toMatch(
        /application\/problem\+json[\s\S]*bytes\/s over \d+ seconds; the minimum is 16384/,
      )
    }
    expect(honest.map((socket) => socket.destroyed)).toEqual([false, false])
    const parts = async () => (await readdir(join(data, 'staging'))).filter((name) => name.endsWith('.part'))
    await expect.poll(parts, { timeout: 5000 }).toHaveLength(2)
    for (const socket of honest) socket.destroy()
    await expect.poll(() => readdir(join(data, 'staging')), { timeout: 5000 }).toEqual([])
  }, 60_000)
})

describe('an append of which only the head comes', () => {
  it.each(['draft', 'tus'] as const)(
    'is 408 after ten seconds by %s, and another request continues the upload',
    async (protocol) => {
      const data = join(await temporaryDirectory(), 'data')
      const server = new ServerProcess(['--port', '0', '--data', data, '--accept', '*/*'])
      onTestFinished(async () => void (await server.stop('SIGKILL')))
      const url = await server.url()
      const { created, appending } = PROTOCOLS[protocol]
      const { headers } = await fetch(new URL(created.path, url), {
        method: 'POST',
        headers: created.fields,
        body: 'he',
      })
      const path = new URL(headers.get('location') ?? '', url).pathname
      const lines = Object.entries(appending).map(([name, value]) => `${name}: ${value}\r\n`)
      const head = `PATCH ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\n${lines.join('')}\r\n`
      const started = performance.now()
      const answer = await textUntilClosed(open(Number(new URL(url).port), head))
      expect(performance.now() - started).toBeLessThan(25_000)
      expect(answer).toMatch(
        /^HTTP\/1\.1 408 [\s\S]*The first byte of the body did not arrive within 10 seconds/,
      )
      const rest = await fetch(new URL(path, url), { method: 'PATCH', headers: appending, body: 'llo' })
      expect(rest.ok).toBe(true)
      expect(await (await fetch(new URL('/videos/a', url))).text()).toBe('hello')
    },
    60_000,
  )
})

const PROTOCOLS = {
  draft: {
    created: {
      path: '/uploads',
      fields: { 'Upload-Complete': '?0', 'Content-Disposition': 'attachment; filename="a"' },
    },
    appending: {
      'Content-Type': 'application/partial-upload',
      'Upload-Complete': '?1',
      'Upload-Offset': '2',
    },
  },
  tus: {
    created: {
      path: '/files',
      fields: {
        'Tus-Resumable': '1.0.0',
        'Content-Type': 'application/offset+octet-stream',
        'Upload-Length': '5',
        'Upload-Metadata': `filename ${btoa('a')}`,
      },
    },
    appending: {
      'Tus-Resumable': '1.0.0',
      'Content-Type': 'application/offset+octet-stream',
      'Upload-Offset': '2',
    },
  },
}

function open(port: number, text: string): Socket {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  socket.write(text)
  return socket
}

async function textUntilClosed(socket: Socket): Promise<string> {
  let answer = ''
  socket.on('data', (text) => {
    answer += text
  })
  await once(socket, 'close')
  return answer
}
