import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

export interface Server {
  readonly port: number
  /** Of the process that answers requests. */
  readonly pid: number
  stop(): Promise<void>
}

export interface ServerOptions {
  /** What else the module wants to know, its second argument (nothing). */
  readonly mode?: string
  /** The one processor that all its threads run on (any). */
  readonly processor?: number
}

/** What a server sends when it listens. */
export type Listening = Pick<Server, 'port' | 'pid'>

/** Starts a module in a process of its own, to serve the files in `root`. */
export async function startServer(module: URL, root: string, options: ServerOptions = {}): Promise<Server> {
  const child = forkPinned(module, [root, options.mode ?? ''], options.processor)
  return { ...(await listening(child)), stop: () => stop(child) }
}

/** Forks a module that ends with this process. */
export function forkPinned(
  module: URL,
  args: readonly string[],
  processor: number | undefined,
): ChildProcess {
  const pinned = processor === undefined ? {} : pinnedTo(processor)
  // Its standard output goes to our standard error: ours is for the table alone.
  const child = fork(module, [...args], {
    ...pinned,
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 2, 2, 'ipc'],
  })
  // Before the exit listener that removes the file: a server that loses it crashes with a page of stack.
  const kill = () => child.kill()
  // One for each child is no leak, however many there are.
  process.setMaxListeners(0)
  process.prependOnceListener('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  return child
}

/** taskset becomes the program that it starts, so the process keeps its id and its channel. */
function pinnedTo(processor: number): { readonly execPath: string; readonly execArgv: string[] } {
  return { execPath: 'taskset', execArgv: ['--cpu-list', String(processor), process.execPath] }
}

function listening(child: ChildProcess): Promise<Listening> {
  return new Promise((resolve, reject) => {
    child.once('message', (message: Listening) => resolve(message))
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
