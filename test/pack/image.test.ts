import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { freePort } from '../conformance/child.ts'
import { REPOSITORY } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const run = promisify(execFile)
const TOKEN = 'the-token-of-a-test'

/** What `npm test` and coverage set for their children would send npx into this workspace, or measure it. */
const { npm_config_local_prefix: _, NODE_OPTIONS: __, NODE_V8_COVERAGE: ___, ...environment } = process.env

interface Instruction {
  readonly name: string
  readonly value: string
}

/** The instructions of each stage of the Dockerfile. */
async function stages(): Promise<readonly (readonly Instruction[])[]> {
  const text = (await readFile(join(REPOSITORY, 'Dockerfile'), 'utf8')).replace(/\\\n/g, ' ')
  const found: Instruction[][] = []
  for (const [, name = '', value = ''] of text.matchAll(/^([A-Z]+) +(.*)$/gm)) {
    if (name === 'FROM') found.push([])
    found.at(-1)?.push({ name, value })
  }
  return found
}

const valuesOf = (stage: readonly Instruction[], wanted: string) =>
  stage.filter(({ name }) => name === wanted).map(({ value }) => value)

/** The command of an instruction in exec form. */
function commandOf(stage: readonly Instruction[], name: string): readonly string[] {
  const [value = ''] = valuesOf(stage, name)
  return JSON.parse(value.slice(value.indexOf('[')))
}

/** What `COPY . .` copies of a fresh clone. */
async function copyContext(target: string): Promise<void> {
  const { stdout } = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: REPOSITORY,
  })
  const patterns = (await readFile(join(REPOSITORY, '.dockerignore'), 'utf8')).split('\n').filter(Boolean)
  const sources = patterns.map((pattern) =>
    pattern.replace(/[.+?]/g, '\\$&').replace(/\*\*\/|\*/g, (star) => (star === '*' ? '[^/]*' : '(?:.*/)?')),
  )
  const ignored = new RegExp(`^(?:${sources.join('|')})(?:/|$)`)
  for (const path of stdout.split('\0')) {
    const source = join(REPOSITORY, path)
    const exists = path !== '' && (await stat(source).catch(() => null)) !== null
    if (exists && !ignored.test(path)) await cp(source, join(target, path))
  }
}

/** Runs the steps of the first stage in a folder of their own, and returns the folder that the second stage copies. */
async function buildImage(): Promise<string> {
  const [build = [], final = []] = await stages()
  const folder = await temporaryDirectory()
  const [, from = '', to = ''] = /^--from=build (\S+) (\S+)$/.exec(valuesOf(final, 'COPY')[0] ?? '') ?? []
  expect(to).toBe('/app')
  const workspace = join(folder, 'workspace')
  await copyContext(workspace)
  for (const step of valuesOf(build, 'RUN')) {
    const command = step.replaceAll(from, join(folder, 'deployed'))
    await run('sh', ['-c', command], { cwd: workspace, env: environment, maxBuffer: 2 ** 26 })
  }
  return join(folder, 'deployed')
}

it('the image of the Dockerfile, built from a fresh clone, serves its page, videos and health check', async () => {
  const app = await buildImage()
  const [, final = []] = await stages()
  const port = await freePort()
  const [program = '', main = ''] = commandOf(final, 'ENTRYPOINT')
  const data = await temporaryDirectory()
  const settings = valuesOf(final, 'ENV').join(' ').replace('/data', data).split(' ')
  const env = {
    PATH: process.env['PATH'],
    ...Object.fromEntries(settings.map((setting) => setting.split('='))),
    RANGE_SERVER_TOKEN: TOKEN,
    RANGE_SERVER_LOG_LEVEL: 'warn',
    PORT: `${port}`,
  }
  const server = spawn(program, [main.replace('/app', app)], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void server.kill('SIGKILL'))
  const ended = once(server, 'exit').then(([code]) => {
    throw new Error(`The server ended with ${code}.`)
  })
  const [url] = await Promise.race([once(createInterface(server.stdout), 'line'), ended])
  const page = await fetch(url, { headers: { accept: 'text/html' } })
  const files = [...(await page.text()).matchAll(/(?:src|href)="(\/page\/[^"]+)"/g)].map(([, path]) => path)
  expect(files).toContain('/page/page.js')
  for (const path of files) expect([path, (await fetch(`${url}${path}`)).status]).toEqual([path, 200])
  const video = await (await fetch(`${url}/assets/video/sample.mp4`)).arrayBuffer()
  const headers = { authorization: `Bearer ${TOKEN}` }
  expect((await fetch(`${url}/videos/a.mp4`, { method: 'PUT', headers, body: video })).status).toBe(201)
  const part = await fetch(`${url}/videos/a.mp4`, { headers: { range: 'bytes=4-7' } })
  expect([part.status, await part.text()]).toEqual([206, 'ftyp'])
  const [health = '', ...flags] = commandOf(final, 'HEALTHCHECK').map((part) => part.replace('/app', app))
  await run(health, flags, { env })
  expect((await stat(join(app, 'node_modules/@aws-sdk/client-s3'))).isDirectory()).toBe(true)
  server.kill('SIGTERM')
  expect((await once(server, 'exit'))[0]).toBe(0)
  await expect(run(health, flags, { env })).rejects.toMatchObject({ code: 1 })
}, 300_000)
