import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startApp } from '../support/app.ts'
import { REPOSITORY, ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { describeWith } from '../support/tools.ts'

async function start(flags: readonly string[], env?: Record<string, string>) {
  const data = join(await temporaryDirectory(), 'data')
  const server = new ServerProcess(['--port', '0', '--data', data, '--accept', '*/*', ...flags], env)
  onTestFinished(async () => void (await server.stop('SIGKILL')))
  return { server, url: await server.url(), data }
}

const LIFECYCLE = ['listening', 'stopping', 'stopped']

const linesOf = (stderr: string) =>
  stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

/** The lines of the log without those of the server's start and end. */
const log = (stderr: string) => linesOf(stderr).filter(({ msg }) => !LIFECYCLE.includes(msg))

describe('the log', () => {
  it.each(['1', '2'])(
    'says when the server listens, stops and has stopped, with --workers %s',
    async (workers) => {
      const { url, server } = await start(['--workers', workers])
      const lines = linesOf((await server.stop()).stderr)
      expect(lines.map(({ msg }) => msg)).toEqual(LIFECYCLE)
      expect(lines[0]).toMatchObject({ url, pid: server.child.pid })
    },
  )
})

describe('a request id', () => {
  const answered = async (url: string, id: string) =>
    (await fetch(`${url}/healthz`, { headers: { 'x-request-id': id } })).headers.get('x-request-id')

  it('is new for each request, answered, and in each line of the log', async () => {
    const { url, server } = await start(['--log-level', 'debug'])
    const [one, two] = [await answered(url, 'mine'), await answered(url, 'mine')]
    for (const id of [one, two]) expect(id).toMatch(/^[\da-f-]{36}$/)
    expect(one).not.toBe(two)
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write('PUT /videos/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx')
    setTimeout(() => socket.destroy(), 100)
    await expect.poll(() => server.stderr).toContain('aborted')
    const lines = log((await server.stop()).stderr)
    expect(lines.map(({ id }) => id).slice(0, 2)).toEqual([one, two])
    // What the parser says of a connection is of no request.
    const rest = lines.slice(2).filter(({ msg }) => msg !== 'bad request')
    const ofUpload = rest.map(({ id }) => id)
    expect(ofUpload.length).toBeGreaterThan(0)
    expect(new Set(ofUpload).size).toBe(1)
    expect(ofUpload[0]).toMatch(/^[\da-f-]{36}$/)
  })

  it('is the one of a trusted proxy, where it is sane', async () => {
    const { url } = await startApp('--trust-proxy', '--allow-anonymous')
    expect(await answered(url, 'proxy-4711:2.b')).toBe('proxy-4711:2.b')
    for (const id of ['x'.repeat(65), 'a b', '"', 'a,b'])
      expect(await answered(url, id)).toMatch(/^[\da-f-]{36}$/)
  })
})

describe('a request whose client disconnects', () => {
  it('is in the log and in the counts as answered if it was refused, as a guessed token in an upload is', async () => {
    const { url, server } = await start([], { RANGE_SERVER_TOKEN: 'a-token-of-this-test' })
    const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {})
    const fields = 'Host: localhost\r\nAuthorization: Bearer guess\r\nContent-Length: 3000000'
    socket.write(`PUT /videos/a HTTP/1.1\r\n${fields}\r\n\r\nx`)
    // It hangs up when it has the refusal, as curl does.
    await once(socket, 'data')
    socket.destroy()
    await expect.poll(() => server.stderr).toContain('"PUT"')
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(metrics).toMatch(/^http_requests_total\{method="PUT",route="\/videos\/:key",status="401"\} 1$/m)
    expect(log((await server.stop()).stderr)[0]).toMatchObject({ method: 'PUT', status: 401, msg: 'request' })
  })

  it('is in the log as aborted if it was a download', async () => {
    const { url, server } = await start([])
    await fetch(`${url}/videos/a`, { method: 'PUT', body: new Uint8Array(20_000_000) })
    const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {})
    socket.write('GET /videos/a HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await once(socket, 'data')
    socket.destroy()
    await expect.poll(() => server.stderr).toContain('"GET"')
    const lines = log((await server.stop()).stderr)
    expect(lines[1]).toMatchObject({ method: 'GET', path: '/videos/a', status: 200, msg: 'aborted' })
  })
})

describe('a download that is longer than the time to stop', () => {
  it.each(['on', 'off'])(
    'is in the log as aborted, before the server has stopped, with --sendfile %s',
    async (sendfile) => {
      const { url, server } = await start(['--shutdown-timeout', '100ms', '--sendfile', sendfile])
      await fetch(`${url}/videos/a`, { method: 'PUT', body: new Uint8Array(20_000_000) })
      const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {})
      socket.write('GET /videos/a HTTP/1.1\r\nHost: localhost\r\n\r\n')
      await once(socket, 'data')
      socket.pause()
      const lines = linesOf((await server.stop()).stderr)
      expect(lines.slice(-3)).toMatchObject([
        { msg: 'stopping' },
        { method: 'GET', path: '/videos/a', status: 200, msg: 'aborted' },
        { msg: 'stopped' },
      ])
      socket.destroy()
    },
  )
})

describe('the client in the log', () => {
  it('is who the trusted proxy says, by its own entry', async () => {
    const { url, server } = await start(['--trust-proxy', '--allow-anonymous'])
    await fetch(url, { headers: { 'x-forwarded-for': '10.6.6.6, 192.0.2.7' } })
    expect(log((await server.stop()).stderr)[0]).toMatchObject({ ip: '192.0.2.7' })
  })

  it('is the connection without one, whatever it says', async () => {
    const { url, server } = await start([])
    await fetch(url, { headers: { 'x-forwarded-for': '192.0.2.7' } })
    expect(log((await server.stop()).stderr)[0]).toMatchObject({ ip: '127.0.0.1' })
  })
})

describe('/readyz', () => {
  const ready = async (url: string) => {
    const response = await fetch(`${url}/readyz`)
    return {
      status: response.status,
      retry: response.headers.get('retry-after'),
      body: await response.json(),
    }
  }

  it('says yes while the store takes uploads, and leaves nothing in it', async () => {
    const { url, store } = await startApp()
    expect(await ready(url)).toMatchObject({ status: 200, body: { status: 'ready' } })
    expect((await store.list()).items).toEqual([])
    expect(await store.sweep()).toMatchObject({ paused: 0, busy: 0 })
  })

  it('says no, why, and nothing of paths where the directory is gone', async () => {
    const { url, data } = await start([])
    await rm(data, { recursive: true })
    const { status, retry, body } = await ready(url)
    expect([status, retry]).toEqual([503, '5'])
    expect(body.detail).toBe('The store failed with ENOENT.')
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  it('says no where there is no space, and yes again a second after there is', async () => {
    const { url } = await startApp('--max-total-size', '10')
    expect((await fetch(`${url}/videos/a`, { method: 'PUT', body: '0123456789' })).status).toBe(201)
    expect(await ready(url)).toMatchObject({
      status: 503,
      body: { detail: 'There is no space for uploads.' },
    })
    await fetch(`${url}/videos/a`, { method: 'DELETE' })
    await expect.poll(async () => (await ready(url)).status, { timeout: 3000 }).toBe(200)
  })

  it('says no while the server drains', async () => {
    const { url, server } = await start([])
    await fetch(`${url}/videos/a`, { method: 'PUT', body: Buffer.alloc(20_000_000) })
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`
    // The second one waits for the first, which its client lets wait.
    socket.write(get('/videos/a') + get('/readyz'))
    await once(socket, 'readable')
    const stopped = server.stop()
    await new Promise((resolve) => setTimeout(resolve, 300))
    let answer = ''
    for await (const chunk of socket) answer = `${answer}${chunk.toString('latin1')}`.slice(-2000)
    expect(answer).toMatch(/HTTP\/1\.1 503 [\s\S]*The server is shutting down\./)
    expect((await stopped).code).toBe(0)
  })
})

describe('the text at the start', () => {
  const textOf = async (flags: readonly string[], env?: Record<string, string>) => {
    const { server } = await start(flags, env)
    return (await server.stop()).stdout.split('\n')
  }

  it('tells the URL alone, then directory, limits and who may do what', async () => {
    const lines = await textOf(['--max-total-size', '1TiB'])
    expect(lines[0]).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(lines.slice(1)).toEqual([
      expect.stringMatching(/^ {2}videos {3}\/.*\/data$/),
      '  uploads  */*; up to 10 GiB each, 1 TiB in all, 256 at once',
      '  access   all clients may read and write',
      '',
    ])
  })

  it('has a URL that others on the network reach, and warns that they may upload', async () => {
    const external = Object.values(networkInterfaces())
      .flat()
      .filter((address) => address?.family === 'IPv4' && !address.internal)
    const lines = await textOf(['--host', '0.0.0.0', '--allow-anonymous'])
    expect(lines[0]).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    for (const address of external)
      expect(lines).toContain(`  network  http://${address?.address}:${new URL(lines[0] ?? '').port}`)
    expect(lines).toContainEqual(
      expect.stringMatching(/^Warning: without a token, every client on the network may upload/),
    )
  })

  it('warns of a token that goes over plain HTTP, or that others can see, and never has it', async () => {
    const env = await textOf(['--host', '0.0.0.0', '--private'], { RANGE_SERVER_TOKEN: 'SECRET-TOKEN' })
    expect(env).toContain('  access   the token is needed to read and write')
    expect(env).toContainEqual(expect.stringMatching(/^Warning: without HTTPS/))
    expect(env.join()).not.toContain('others on this machine')
    const argv = await textOf(['--token', 'SECRET-TOKEN'])
    expect(argv).toContainEqual(
      expect.stringMatching(/^Warning: other users of this machine can see --token/),
    )
    expect(`${env}${argv}`).not.toContain('SECRET')
  })
})

describe('a token', () => {
  it('is in no line of the log, right or wrong, in whatever way it comes', async () => {
    const { url, server } = await start(['--log-level', 'trace', '--private'], {
      RANGE_SERVER_TOKEN: 'SECRET-1',
    })
    for (const token of ['SECRET-1', 'SECRET-2']) {
      await fetch(`${url}/videos`, { headers: { authorization: `Bearer ${token}` } })
      const body = new URLSearchParams({ token })
      await fetch(`${url}/sign-in`, { method: 'POST', body, redirect: 'manual' })
    }
    const { stderr } = await server.stop()
    expect(log(stderr)).toHaveLength(4)
    expect(stderr).not.toContain('SECRET')
  })

  it('is no argument of a worker', async () => {
    const { server, url } = await start(['--workers', '2'], { RANGE_SERVER_TOKEN: 'SECRET-1' })
    expect((await fetch(`${url}/videos/a`, { method: 'PUT', body: 'x' })).status).toBe(401)
    const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'args'])
    expect(stdout).toMatch(/main\.c?js/)
    expect(stdout).not.toContain('SECRET-1')
    await server.stop()
  })
})

describe('connections', () => {
  it.each([
    [['--trust-proxy', '--allow-anonymous'], 'timeout=80'],
    [[], 'timeout=5'],
  ] as const)('are kept for longer than a proxy keeps them, where there is one: %j', async (flags, kept) => {
    const { url } = await start(flags)
    const { headers } = await fetch(`${url}/healthz`)
    expect(headers.get('keep-alive')).toBe(kept)
  })
})

describeWith(['script'], 'the log on a terminal', () => {
  it('is for people, with nothing in it that moves the cursor', async () => {
    const data = await temporaryDirectory()
    const command = `exec ${process.execPath} apps/server/dist/main.js --port 0 --data ${data}`
    const child = spawn('script', ['-qec', command, '/dev/null'], { cwd: REPOSITORY })
    onTestFinished(() => void child.kill('SIGKILL'))
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    await expect.poll(() => output, { timeout: 10_000 }).toContain('access')
    await fetch(`${output.split(/\r?\n/)[0]}/videos/%1b%5b2J`)
    await expect
      .poll(() => output)
      .toMatch(
        /\d\d:\d\d:\d\d info {2}request id=[\da-f-]{36} ip=127\.0\.0\.1 method=GET path=\/videos\/%1b%5b2J status=\d+ ms=\d+/,
      )
    expect(output).not.toContain('\u001b')
    child.stdin.end('\u0003')
    await once(child, 'exit')
  })
})
