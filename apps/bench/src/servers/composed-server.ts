import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { announce, mode, root } from './listen.ts'

/** The program of koa-range-server, as people start it. */
const MAIN = fileURLToPath(new URL('../../../server/dist/main.js', import.meta.url))

/** The source that `root` is, and the log level; empty for the server's default. */
const [source, level = ''] = mode.split(':')

async function main(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'koa-range-bench-server-'))
  process.once('exit', () => rmSync(scratch, { recursive: true, force: true }))
  const places = source === 'assets' ? ['--data', join(scratch, 'data'), '--assets', root] : ['--data', root]
  const levels = level === '' ? [] : ['--log-level', level]
  // A file, because a reader of a pipe would take processor time from the client.
  const log = openSync(join(scratch, 'log'), 'w')
  // A group of its own: Ctrl-C reaches us all, and the server ends when we do.
  const server = spawn(process.execPath, [MAIN, '--port', '0', ...places, ...levels], {
    stdio: ['ignore', 'pipe', log],
    detached: true,
  })
  process.once('exit', () => server.kill('SIGKILL'))
  process.once('SIGTERM', () => process.exit())
  server.once('exit', () => process.exit(1))
  const [first] = await once(server.stdout ?? server, 'data')
  announce({ port: Number(new URL(String(first).split('\n')[0] ?? '').port), pid: server.pid ?? 0 })
}

main().catch((error: unknown) => {
  console.error(error)
  process.exit(1)
})
