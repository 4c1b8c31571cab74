import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { ConfigError, loadConfig } from 'koa-range-server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ServerProcess } from '../support/server.ts'
import { missingPath, temporaryDirectory } from '../support/temporary.ts'
import { REFUSED } from './refused-flags.ts'

const run = (flags: readonly string[], env?: Record<string, string>) => {
  const server = new ServerProcess(flags, env)
  onTestFinished(async () => void (await server.stop('SIGKILL')))
  return server
}

/** At a port where nobody answers. */
const S3 = {
  RANGE_SERVER_STORE: 's3',
  RANGE_SERVER_S3_BUCKET: 'videos',
  RANGE_SERVER_S3_ENDPOINT: 'http://127.0.0.1:9',
  AWS_EC2_METADATA_DISABLED: 'true',
}
const KEYS = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }

function messageOf(task: () => unknown): string {
  try {
    task()
    return ''
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

describe('the command', () => {
  it('prints every flag for --help and exits 0', async () => {
    const { code, stdout } = await run(['--help']).exited
    expect(code).toBe(0)
    for (const flag of ['--host', '--port', '--data', '--accept', '--max-file-size', '--cors-origin']) {
      expect(stdout).toContain(flag)
    }
  })

  it('prints its version', async () => {
    expect((await run(['--version']).exited).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it.each(REFUSED)('rejects %j %j in one line', (flags, env, message) => {
    const load = () => loadConfig(flags, env)
    expect(load).toThrow(ConfigError)
    // The command prints it so: refused-flags.test.ts.
    expect(`${messageOf(load)}\n`).toMatch(message)
    expect(messageOf(load)).not.toContain('\n')
  })

  it.each([
    [['--port', '70000'], {}, /--port 70000 is not a port/],
    [[], S3, /^--store s3: .*"videos".*Set AWS_ACCESS_KEY_ID/],
    [[], { ...S3, ...KEYS }, /^--store s3: http:\/\/127\.0\.0\.1:9 does not answer \(connect ECONNREFUSED/],
    [['--assets', missingPath()], {}, /^--assets cannot be read: .*\/missing-/],
  ])('prints one line about %j %j and exits 2', async (flags, env, message) => {
    const { code, stdout, stderr } = await run(flags, env).exited
    expect(stderr).toMatch(message)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  it('says in one line that the port is taken, and exits 1', async () => {
    const blocker = createServer().listen(0, '127.0.0.1')
    await once(blocker, 'listening')
    onTestFinished(() => void blocker.close())
    const { port } = blocker.address() as { port: number }
    const data = await temporaryDirectory()
    const { code, stderr } = await run(['--port', String(port), '--data', data]).exited
    expect(stderr).toMatch(new RegExp(`127\\.0\\.0\\.1:${port} is taken`))
    expect(code).toBe(1)
  })

  it('says in one line that the directory cannot be written, and exits 2', async () => {
    // Where not even root may make a directory.
    const { code, stderr } = await run(['--port', '0', '--data', '/sys/koa-range/data']).exited
    expect(stderr).toMatch(/^--data cannot be used: .*\/sys\/koa-range.*\n$/)
    expect(code).toBe(2)
  })

  it.each([
    [
      // A file on every machine.
      process.execPath,
      /^--data cannot be used: \/.*: (?:there is a file of that name|a part of the path is a file); choose a directory \(/,
    ],
    [join(process.execPath, 'x'), /a part of the path is a file; choose a directory \(ENOTDIR/],
    ['/sys/koa-range/data', /files may not be created there|the file system is read-only/],
    // Node's own way of making a directory with its parents never ends there.
    ['/proc/1/fd', /choose a directory/],
    ['/proc/koa-range/data', /choose a directory/],
  ])('says in one line what to do where --data is %s', async (data, message) => {
    const { code, stderr } = await run(['--port', '0', '--data', data]).exited
    expect(stderr).toMatch(message)
    expect([code, stderr.trimEnd().split('\n').length]).toEqual([2, 1])
  })

  it('says in one line that --host is no address of this machine, and exits 2', async () => {
    const flags = ['--host', '192.0.2.1', '--token', 'long-enough', '--data', await temporaryDirectory()]
    const { code, stderr } = await run(flags).exited
    expect(stderr).toMatch(/^--host is not an address of this machine: choose 127\.0\.0\.1.*\n$/)
    expect(code).toBe(2)
  })

  it('says in one line that the directory holds another layout, and exits 2', async () => {
    const data = await temporaryDirectory()
    await writeFile(join(data, 'FORMAT'), '{"layout":2}')
    const { code, stderr } = await run(['--port', '0', '--data', data]).exited
    expect(stderr).toMatch(/^--data cannot be used: .*layout 2.*\n$/)
    expect(code).toBe(2)
  })

  it('takes flags from the environment, and a flag wins', async () => {
    const data = await temporaryDirectory()
    const server = run(['--port', '0'], {
      PORT: '1',
      RANGE_SERVER_DATA: data,
      RANGE_SERVER_READ_ONLY: 'true',
    })
    const response = await fetch(`${await server.url()}/videos/a`, { method: 'PUT', body: 'x' })
    expect(response.status).toBe(403)
  })

  it('prints the URL alone on the first line and logs to standard error', async () => {
    const server = run(['--port', '0', '--data', await temporaryDirectory()])
    const url = await server.url()
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' })
    const { stdout, stderr } = await server.stop()
    expect(stdout).toMatch(/^http:.*\n {2}videos/)
    // The first line says that the server listens.
    expect(JSON.parse(stderr.split('\n')[1] ?? '')).toMatchObject({
      id: expect.stringMatching(/^[\da-f-]{36}$/),
      ip: '127.0.0.1',
      method: 'GET',
      path: '/healthz',
      status: 200,
    })
  })
})

describe('shutdown', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'on %s finishes what is in flight, refuses what is new, exits 0',
    async (signal) => {
      const server = run(['--port', '0', '--data', await temporaryDirectory(), '--accept', '*/*'])
      const url = await server.url()
      const body = Buffer.alloc(8_000_000, 'x')
      await fetch(`${url}/videos/a`, { method: 'PUT', body })
      const [response] = await once(get(`${url}/videos/a`), 'response')
      const stopped = server.stop(signal)
      await new Promise((resolve) => setTimeout(resolve, 300))
      await expect(fetch(`${url}/healthz`)).rejects.toThrow()
      let length = 0
      for await (const chunk of response) length += chunk.length
      expect(length).toBe(body.length)
      expect((await stopped).code).toBe(0)
    },
  )

  it('ends idle keep-alive connections at once', async () => {
    const server = run(['--port', '0', '--data', await temporaryDirectory()])
    const url = await server.url()
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await once(socket, 'data')
    const started = performance.now()
    expect((await server.stop()).code).toBe(0)
    expect(performance.now() - started).toBeLessThan(3000)
  })

  it('gives up on a client that never reads after --shutdown-timeout, and exits 0', async () => {
    const server = run([
      '--port',
      '0',
      '--data',
      await temporaryDirectory(),
      '--accept',
      '*/*',
      '--shutdown-timeout',
      '500ms',
    ])
    const url = await server.url()
    await fetch(`${url}/videos/a`, { method: 'PUT', body: Buffer.alloc(50_000_000) })
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.on('error', () => {})
    socket.pause()
    socket.write('GET /videos/a HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect((await server.stop()).code).toBe(0)
    socket.destroy()
  })
})

describe('a client that goes away', () => {
  it('leaves no error in the log and no descriptor open', async () => {
    const server = run([
      '--port',
      '0',
      '--data',
      await temporaryDirectory(),
      '--accept',
      '*/*',
      '--log-level',
      'info',
    ])
    const url = await server.url()
    await fetch(`${url}/videos/a`, { method: 'PUT', body: Buffer.alloc(20_000_000) })
    const descriptors = async () => (await readdir(`/proc/${server.child.pid}/fd`)).length
    const before = await descriptors()
    const abort = async () => {
      // Not fetch, which keeps connections for itself.
      const request = get(`${url}/videos/a`, { agent: false }).on('error', () => {})
      const [response] = await once(request, 'response')
      await once(response, 'readable')
      request.destroy()
    }
    await Promise.all(Array.from({ length: 50 }, abort))
    await expect.poll(descriptors, { timeout: 5000 }).toBeLessThanOrEqual(before + 1)
    const { stderr } = await server.stop()
    expect(stderr).not.toMatch(/"level":(?:40|50)|Error/)
  })

  it('in mid-upload leaves no error in the log, no file, and nothing of its headers', async () => {
    const data = await temporaryDirectory()
    const server = run(['--port', '0', '--data', data, '--accept', '*/*'])
    const url = await server.url()
    const head = 'Host: 127.0.0.1\r\nAuthorization: Bearer SECRET123\r\n'
    const form = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\npartial'
    const uploads = [
      `POST /video HTTP/1.1\r\n${head}Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n${form}`,
      `PUT /videos/a HTTP/1.1\r\n${head}Content-Length: 1000\r\n\r\npartial`,
      `PUT /videos/a HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\nno chunk\r\n`,
    ]
    for (const upload of uploads) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      socket.on('error', () => {})
      socket.write(upload)
      setTimeout(() => socket.destroy(), 100)
      await once(socket, 'close')
    }
    await expect.poll(() => readdir(join(data, 'staging'))).toEqual([])
    const { stderr } = await server.stop()
    expect(stderr).not.toMatch(/"level":(?:40|50)|SECRET123/)
  })
})
