import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

export interface Server {
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

/**
 * Starts a module in a process of its own, to serve the files in `root`.
 *
 * @param mode what else the module wants to know, its second argument
 */
export async function startServer(module: URL, root: string, mode = ''): Promise<Server> {
  // Its standard output goes to our standard error: ours is for the table alone.
  const child = fork(module, [root, mode], {
    stdio: ['ignore', 2, 2, 'ipc'],
  })
  // Before the exit listener that removes the file: a server that loses it crashes with a page of stack.
  const kill = () => child.kill('SIGKILL')
  process.prependOnceListener('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  return { port: await portOf(child), pid: child.pid ?? 0, stop: () => stop(child) }
}

function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('message', (port) => resolve(Number(port)))
    child.once('error', reject)
    child.once('exit', (code, signal) => reject(new Error(`ended with ${code ?? signal} before it listened`)))
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill()
  await gone
}
