import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import type { Packed } from './packages.ts'

/** How long npx may take to install, and the server to stop, in ms. */
const PATIENCE = 120_000

/** Runs `npx koa-range-server` in an empty folder as somebody without a clone would; gives what failed. */
export async function runServer(tarballs: readonly Packed[], folder: string): Promise<readonly string[]> {
  await mkdir(folder)
  const packages = tarballs.map(({ tarball }) => `--package=${tarball}`)
  const flags = [
    '--yes',
    ...packages,
    '--',
    'koa-range-server',
    '--port',
    '0',
    '--data',
    join(folder, 'data'),
  ]
  // A group of its own, as a terminal makes one: Ctrl-C reaches npx and the server alike.
  const npx = spawn('npx', flags, { cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(npx, 'exit')
  const { pid } = npx
  if (pid === undefined) return ['npx could not be started']
  const timer = setTimeout(() => process.kill(-pid, 'SIGKILL'), PATIENCE)
  try {
    const { value: line } = await createInterface({ input: npx.stdout })[Symbol.asyncIterator]().next()
    const [base] = /http:\/\/\S+/.exec(String(line)) ?? []
    if (base === undefined) return [`printed ${JSON.stringify(line)} instead of its URL`]
    const failures = await ask(base)
    process.kill(-pid, 'SIGINT')
    await exited
    return (await goneWithin(base, 5000)) ? failures : [...failures, 'still listens after SIGINT']
  } finally {
    clearTimeout(timer)
    if (npx.exitCode === null && npx.signalCode === null) process.kill(-pid, 'SIGKILL')
  }
}

async function ask(base: string): Promise<readonly string[]> {
  const range = { headers: { range: 'bytes=4-7' } }
  const part = await fetch(new URL('/assets/video/sample.mp4', base), range)
  const answer = `${part.status} ${await part.text()}`
  const page = await fetch(base, { headers: { accept: 'text/html' } })
  const [script] = /\/[\w/.-]*page\.js/.exec(await page.text()) ?? ['/no-script']
  const { status } = await fetch(new URL(script, base))
  return [
    ...(answer === '206 ftyp' ? [] : [`answered a range with ${answer}`]),
    ...(status === 200 ? [] : [`answered ${status} for the page's script`]),
  ]
}

async function goneWithin(base: string, ms: number): Promise<boolean> {
  for (const end = Date.now() + ms; Date.now() < end; await wait(100)) {
    const answered = await fetch(new URL('/healthz', base)).then(
      () => true,
      () => false,
    )
    if (!answered) return true
  }
  return false
}
