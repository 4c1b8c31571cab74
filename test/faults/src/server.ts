import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../../apps/server/dist/main.js', import.meta.url))

export interface RunningServer {
  readonly url: string
  /** Ends it as a crash does; resolves to what it wrote to standard error. */
  kill(): Promise<string>
  /** Ends it as an operator does; resolves to its exit code and what it wrote to standard error. */
  stop(): Promise<{ readonly code: number | null; readonly stderr: string }>
}

/**
 * The server as people start it, with its store in `directory`.
 *
 * @param port any free one where it is 0
 * @param env beside this process's own
 */
export async function startServer(
  directory: string,
  port = 0,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningServer> {
  const flags = ['--port', String(port), '--data', directory, '--accept', '*/*']
  const child = spawn(process.execPath, [MAIN, ...flags], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  // This process may be interrupted before it comes to stop it.
  const end = () => child.kill('SIGKILL')
  process.once('exit', end)
  const closed = once(child, 'close')
  const stderr = text(child.stderr)
  const [first] = await Promise.race([once(child.stdout, 'data'), closed.then(() => [''])])
  const url = String(first).split('\n')[0] ?? ''
  if (!url.startsWith('http')) throw new Error(`The server did not start: ${await stderr}`)
  return {
    url,
    kill: async () => {
      child.kill('SIGKILL')
      await closed
      process.removeListener('exit', end)
      return stderr
    },
    stop: async () => {
      child.kill('SIGTERM')
      const [code] = (await closed) as [number | null]
      process.removeListener('exit', end)
      return { code, stderr: await stderr }
    },
  }
}

/** The first line of a log that tells of a failure nobody foresaw. */
export function failureIn(stderr: string): string | undefined {
  return /^.*(?:"level":(?:50|60)|Uncaught|Unhandled|ENOSPC).*$/im.exec(stderr)?.[0]
}
