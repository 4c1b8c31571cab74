import { readFile } from 'node:fs/promises'

const INTERVAL = 250

/**
 * Ends this process soon after the npm or npx that it was started by. A signal ends those and the shell between, which passes
 * nothing on.
 */
export async function endWithNpm(): Promise<void> {
  const pids = await ancestors()
  const check = () => {
    if (!pids.every(isRunning)) process.kill(process.pid, 'SIGTERM')
  }
  if (pids.length > 0) setInterval(check, INTERVAL).unref()
}

/** The processes from the parent of this one up to npm, or none without npm. */
async function ancestors(): Promise<readonly number[]> {
  const found: number[] = []
  for (let pid = process.ppid; pid > 1; ) {
    found.push(pid)
    const [args, status] = await Promise.all([textOf(pid, 'cmdline'), textOf(pid, 'status')])
    if (/(?:^|\/)np[mx](?:$|[ \0])/.test(args.replace(/^[^\0]*\/?node\0/, ''))) return found
    pid = Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1] ?? 0)
  }
  return []
}

/** Of /proc, which Linux alone has. */
const textOf = (pid: number, name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
