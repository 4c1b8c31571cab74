import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { Agent, get } from 'node:http'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../conformance/child.ts'
import { withTmpfs } from '../faults/dist/tmpfs.js'
import { parsePrometheus, sumOf } from '../soak/dist/prometheus.js'
import { REPOSITORY, ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { describeWith } from '../support/tools.ts'

/** Each request logs almost 4 KB: 16 fill a pipe, and 300 fill the memory that a process keeps for its log as well. */
const LONG = `/${'x'.repeat(3700)}`
const MANY = 400

type Streams = ConstructorParameters<typeof ServerProcess>[3]

async function start(streams: Streams, flags: readonly string[] = [], env = {}): Promise<ServerProcess> {
  const data = join(await temporaryDirectory(), 'data')
  const server = new ServerProcess(['--port', '0', '--data', data, ...flags], env, [], streams)
  onTestFinished(async () => void (await server.stop('SIGKILL')))
  return server
}

/** Sends requests over 8 connections, which the workers share, and returns the statuses of the responses. */
async function askMany(url: string, count: number, path = LONG): Promise<ReadonlySet<number | undefined>> {
  const statuses = new Set<number | undefined>()
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const ask = async () => {
    const [response] = await once(get(`${url}${path}`, { agent }), 'response')
    response.resume()
    await once(response, 'end')
    statuses.add(response.statusCode)
  }
  await Promise.all(Array.from({ length: count }, ask))
  agent.destroy()
  return statuses
}

async function droppedLines(url: string): Promise<number> {
  const metrics = parsePrometheus(await (await fetch(`${url}/metrics`)).text())
  return sumOf(metrics, 'log_lines_dropped_total')
}

/** A pipe whose reader, this process, reads only when the test asks it to. */
async function pipe(): Promise<{ readonly reader: number; readonly writer: number }> {
  const path = join(await temporaryDirectory(), 'pipe')
  execFileSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  return { reader, writer: openSync(path, constants.O_WRONLY) }
}

describe.each(['1', '2'])('the log of a server with --workers %s', (workers) => {
  const flags = ['--workers', workers]

  it('delays no request while its reader, at a pipe, is stalled, and reports how many lines were dropped', async () => {
    const { reader, writer } = await pipe()
    const server = await start({ stderr: writer }, flags)
    const url = await server.url()
    closeSync(writer)
    expect(await askMany(url, MANY * Number(workers))).toEqual(new Set([404]))
    const dropped = await droppedLines(url)
    expect(dropped).toBeGreaterThan(50)
    const log = text(new Socket({ fd: reader, writable: false }))
    // Lines are accepted again when the reader has read those that waited.
    await expect
      .poll(async () => {
        const before = await droppedLines(url)
        await askMany(url, 4 * Number(workers), '/healthz')
        return (await droppedLines(url)) - before
      })
      .toBe(0)
    expect((await server.stop()).code).toBe(0)
    const lines = (await log).trimEnd().split('\n')
    const entries = lines.map((line) => JSON.parse(line))
    const reports = entries.filter(({ msg }) => msg === 'log lines were dropped')
    expect(reports.reduce((sum, report) => sum + report.dropped, 0)).toBeGreaterThanOrEqual(dropped)
    expect(entries.filter(({ path }) => path === LONG).length).toBeGreaterThan(200)
    expect(entries.filter(({ path }) => path === '/healthz')).not.toEqual([])
  })

  it('ends no process when its disk is full', async () => {
    const full = openSync('/dev/full', 'w')
    onTestFinished(() => closeSync(full))
    const server = await start({ stderr: full }, flags)
    const url = await server.url()
    expect(await askMany(url, MANY * Number(workers))).toEqual(new Set([404]))
    expect(await droppedLines(url)).toBeGreaterThan(50)
    expect((await server.stop()).code).toBe(0)
  })
})

describe('the log', () => {
  it('does not keep the server from ending while its reader is stalled', async () => {
    const { reader, writer } = await pipe()
    const server = await start({ stderr: writer })
    onTestFinished(() => closeSync(reader))
    const url = await server.url()
    closeSync(writer)
    await askMany(url, 40)
    expect((await server.stop()).code).toBe(0)
  })

  it('delays no request while its reader, at a socket, is stalled', async () => {
    const server = await start({})
    const url = await server.url()
    server.child.stderr?.pause()
    expect(await askMany(url, MANY)).toEqual(new Set([404]))
    expect(await droppedLines(url)).toBeGreaterThan(50)
    server.child.stderr?.resume()
    await expect.poll(() => server.stderr).toContain('log lines were dropped')
    expect((await server.stop()).code).toBe(0)
  })

  it('does not end a server whose reader has gone', async () => {
    const { reader, writer } = await pipe()
    const server = await start({ stderr: writer })
    const url = await server.url()
    closeSync(writer)
    closeSync(reader)
    expect(await askMany(url, 40)).toEqual(new Set([404]))
    expect((await server.stop()).code).toBe(0)
  })

  it('continues in its file when a full disk has room again', async ({ skip }) => {
    const outcome = await withTmpfs('size=256k', async (directory) => {
      await writeFile(join(directory, 'other'), new Uint8Array(192 * 1024))
      const file = openSync(join(directory, 'log'), 'w')
      const server = await start({ stderr: file })
      closeSync(file)
      const url = await server.url()
      expect(await askMany(url, 40)).toEqual(new Set([404]))
      await rm(join(directory, 'other'))
      await askMany(url, 1, '/healthz')
      expect((await server.stop()).code).toBe(0)
      // 64 KiB of it fit at first; what had to wait follows, and nothing is missing.
      const log = await readFile(join(directory, 'log'), 'utf8')
      const paths = log
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).path)
        // The lines of the server's start and end have none.
        .filter((path) => path !== undefined)
      return { paths }
    })
    if ('skipped' in outcome) skip(outcome.skipped)
    else expect(outcome.paths).toEqual([...Array(40).fill(LONG), '/healthz'])
  })

  it('is written at most a few times a second, however many requests there are', async () => {
    const file = join(await temporaryDirectory(), 'log')
    const log = openSync(file, 'w')
    onTestFinished(() => closeSync(log))
    // Prints the number of writes to standard error.
    const count = `import fs from 'node:fs'; import { syncBuiltinESMExports } from 'node:module'
      let writes = 0
      for (const name of ['write', 'writeSync']) {
        const original = fs[name]
        fs[name] = (fd, ...rest) => { if (fd === 2) writes++; return original(fd, ...rest) }
        Object.assign(fs[name], { [Symbol.for('nodejs.util.promisify.custom')]: async (...args) => {
          if (args[0] === 2) writes++
          return { bytesWritten: fs.writeSync.call(fs, ...args) }
        } })
      }
      syncBuiltinESMExports()
      process.once('exit', () => console.log('writes', writes))`
    const server = await start({ stderr: log }, [], await preload(count))
    const url = await server.url()
    const began = performance.now()
    await askMany(url, 300, '/healthz')
    await expect.poll(async () => (await readFile(file, 'utf8')).match(/healthz/g)?.length).toBe(300)
    const seconds = (performance.now() - began) / 1000
    const { stdout } = await server.stop()
    const writes = Number(/^writes (\d+)$/m.exec(stdout)?.[1])
    expect(writes).toBeGreaterThan(0)
    expect(writes).toBeLessThan(10 + 20 * seconds)
  })

  it('has the line of a request within a second, although no further request follows', async () => {
    const server = await start({})
    await askMany(await server.url(), 1, '/healthz')
    await expect.poll(() => server.stderr, { timeout: 5000 }).toContain('"path":"/healthz"')
  })

  it('has the last lines before the end of the server', async () => {
    const server = await start({})
    await askMany(await server.url(), 100, '/healthz')
    const { code, stderr } = await server.stop()
    expect(code).toBe(0)
    expect(stderr.match(/"path":"\/healthz"/g)).toHaveLength(100)
  })

  it('has the warnings of Node, which by default would wait for the reader', async () => {
    const warn = "process.once('SIGUSR2', () => process.emitWarning('careful', 'TestWarning'))"
    const server = await start({}, [], await preload(warn))
    await server.url()
    server.child.kill('SIGUSR2')
    await expect.poll(() => server.stderr).toContain('"msg":"careful"')
  })

  it('has the error that ends the process, after the lines that were logged before', async () => {
    const crash = "process.once('SIGUSR2', () => { throw new Error('thrown by a test') })"
    const server = await start({}, [], await preload(crash))
    await askMany(await server.url(), 50, '/healthz')
    server.child.kill('SIGUSR2')
    const { code, stderr } = await server.exited
    expect(code).toBe(1)
    expect(stderr).toMatch(/(?:.*"path":"\/healthz".*\n){50}Error: thrown by a test\n/)
  })
})

describe('standard output', () => {
  it('may have no reader: the server serves all the same', async () => {
    const { reader, writer } = await pipe()
    closeSync(reader)
    const port = await freePort()
    const server = await start({ stdout: writer }, ['--port', `${port}`])
    closeSync(writer)
    const url = `http://127.0.0.1:${port}`
    const isServing = () =>
      fetch(`${url}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      )
    await expect.poll(isServing).toBe(true)
    expect(await askMany(url, 5, '/healthz')).toEqual(new Set([200]))
    expect((await server.stop()).code).toBe(0)
  })
})

describeWith(['script'], 'the log on a terminal', () => {
  it('delays no request while the terminal is paused by Ctrl-S', async () => {
    const data = join(await temporaryDirectory(), 'data')
    const command = `exec ${process.execPath} apps/server/dist/main.js --port 0 --data ${data}`
    const child = spawn('script', ['-qec', command, '/dev/null'], { cwd: REPOSITORY })
    onTestFinished(() => void child.kill('SIGKILL'))
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    await expect.poll(() => output).toContain('access')
    const url = output.split(/\r?\n/)[0] ?? ''
    child.stdin.write('\u0013')
    expect(await askMany(url, 100)).toEqual(new Set([404]))
    child.stdin.write('\u0011')
    await expect.poll(() => output.split(LONG).length).toBe(101)
    child.stdin.end('\u0003')
    await once(child, 'exit')
  })
})

async function preload(code: string): Promise<Record<string, string>> {
  const path = join(await temporaryDirectory(), 'preload.mjs')
  await writeFile(path, code)
  return { NODE_OPTIONS: `--import ${pathToFileURL(path)}` }
}
