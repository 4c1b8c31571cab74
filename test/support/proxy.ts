import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { freePort } from '../conformance/child.ts'
import { REPOSITORY } from './server.ts'
import { temporaryDirectory } from './temporary.ts'

type Command = (home: string, configuration: string) => Promise<readonly string[]>

/** As Debian's own main file includes what lies in conf.d. */
const nginx: Command = async (home, configuration) => {
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const temporary = kinds.map((kind) => `${kind}_temp_path ${home}/tmp/${kind};`).join(' ')
  const path = join(home, 'main.conf')
  await writeFile(
    path,
    `daemon off; master_process off; pid ${home}/pid; error_log stderr; events {}
    http { access_log off; ${temporary} include ${configuration}; }`,
  )
  return ['nginx', '-e', 'stderr', '-c', path]
}

const caddy: Command = async (_, path) => ['caddy', 'run', '--config', path, '--adapter', 'caddyfile']

const PROXIES = {
  nginx: { command: nginx, listen: (port: number) => ['listen 80;', `listen 127.0.0.1:${port};`] },
  caddy: { command: caddy, listen: (port: number) => [':80 {', `http://127.0.0.1:${port} {`] },
} as const

export interface Proxy {
  readonly url: string
  /** It writes to `tmp` in there, and its cache. */
  readonly home: string
}

/**
 * A proxy by a file of docs/examples, with other addresses and no other change, until the test has finished.
 *
 * @param nodes the URLs of the servers behind the proxy, in the order of the file
 * @param directive a directive of the proxy's own language to add to its site
 */
export async function startProxy(
  kind: keyof typeof PROXIES,
  example: string,
  nodes: readonly string[],
  directive = '',
): Promise<Proxy> {
  const home = await temporaryDirectory()
  await mkdir(join(home, 'tmp'))
  const port = await freePort()
  const { command, listen } = PROXIES[kind]
  const [was = '', is = ''] = listen(port)
  const hosts = nodes.map((url) => new URL(url).host)
  const original = await readFile(join(REPOSITORY, 'docs/examples', example), 'utf8')
  const text = original
    .replace(was, `${is}\n${directive}`)
    .replace('/var/cache/nginx', home)
    .replace(/127\.0\.0\.1:800\d/g, () => hosts.shift() ?? '')
  const path = join(home, example)
  await writeFile(path, text)
  const [program = '', ...args] = await command(home, path)
  // Caddy's administrative port is one for the whole machine.
  const env = { PATH: process.env['PATH'], HOME: home, CADDY_ADMIN: 'off' }
  const child = spawn(program, args, { cwd: home, env, stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const ended = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const url = `http://127.0.0.1:${port}`
  const status = () =>
    fetch(`${url}/healthz`).then(
      (response) => response.status,
      () => stderr,
    )
  await expect.poll(status, { timeout: 10_000 }).toBe(200)
  return { url, home }
}
