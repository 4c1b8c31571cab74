import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { announce, mode, root } from './listen.ts'

const TRIES = 100

/** What nginx would otherwise put where only the administrator may write. */
const SCRATCH = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

// No tcp_nopush: on loopback a 64 KiB range and its head fill one segment and a bit, and the bit would wait for an
// acknowledgement that takes 40 ms (1,000 requests/s instead of 30,000).
function configuration(port: number, scratch: string): string {
  return `
daemon off;
worker_processes 1;
pid ${scratch}/pid;
error_log stderr error;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 4096; }
http {
  ${SCRATCH.map((name) => `${name}_temp_path ${scratch}/${name};`).join(' ')}
  types { video/mp4 mp4; }
  access_log off;
  sendfile on;
  open_file_cache max=1000 inactive=60s;
  keepalive_requests 1000000000;
  server { listen 127.0.0.1:${port}; root ${root}; }
}
`
}

/** nginx cannot choose a port and tell which: another process may take this one first, but then nginx ends. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** The worker: the master only waits for signals. */
function workerOf(master: number): number {
  return Number(readFileSync(`/proc/${master}/task/${master}/children`, 'utf8').split(' ')[0])
}

async function main(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'koa-range-bench-nginx-'))
  process.once('exit', () => rmSync(scratch, { recursive: true, force: true }))
  const port = await freePort()
  const path = join(scratch, 'nginx.conf')
  writeFileSync(path, configuration(port, scratch))
  // A group of its own: Ctrl-C reaches us all, and nginx ends when we do.
  const nginx = spawn(mode, ['-c', path, '-e', 'stderr'], { stdio: ['ignore', 2, 2], detached: true })
  process.once('exit', () => nginx.kill())
  process.once('SIGTERM', () => nginx.kill())
  nginx.once('error', () => process.exit(1))
  nginx.once('exit', () => process.exit(1))
  for (let tries = 0; !(await accepts(port)); tries++) {
    if (tries === TRIES) throw new Error('nginx does not listen')
    await setTimeout(20)
  }
  announce({ port, pid: workerOf(nginx.pid ?? 0) })
}

main().catch((error: unknown) => {
  console.error(error)
  process.exit(1)
})
