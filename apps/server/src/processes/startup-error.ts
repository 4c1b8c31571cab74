import { ConfigError } from '../config/values.ts'

const BAD_USAGE = 2

export interface Explanation {
  readonly text: string
  readonly exitCode: number
}

/** A worker has reported why it cannot start: `message` is the one line for the operator. */
export class WorkerFailure extends Error {
  override readonly name = 'WorkerFailure'
  readonly exitCode: number

  constructor({ text, exitCode }: Explanation) {
    super(text)
    this.exitCode = exitCode
  }
}

/**
 * Returns one line for an error that the operator can correct, with exit code 2 for a bad value; the stack of any
 * other error.
 */
export function describeFailure(error: unknown): Explanation {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return expectedFailure(error) ?? { text, exitCode: 1 }
}

/** Returns one line for an error that the operator can correct, `null` for any other. */
export function expectedFailure(error: unknown): Explanation | null {
  if (!(error instanceof Error)) return null
  if (error instanceof WorkerFailure) return { text: error.message, exitCode: error.exitCode }
  if (error instanceof ConfigError) return { text: error.message, exitCode: BAD_USAGE }
  const { code = '', address, port } = error as Error & { code?: string; address?: string; port?: number }
  if (code === 'EADDRINUSE') {
    return { text: `${address}:${port} is taken: choose another --port, or 0 for any free one.`, exitCode: 1 }
  }
  if (code === 'EACCES')
    return {
      text: `--port ${port} needs more permissions: choose one from 1024 up, or put a proxy in front.`,
      exitCode: 1,
    }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    const text = `--host is not an address of this machine: choose 127.0.0.1, or 0.0.0.0 for all of them (${error.message}).`
    return { text, exitCode: BAD_USAGE }
  }
  return null
}
