import { constants, fstatSync, openSync, write, writeSync } from 'node:fs'
import { promisify } from 'node:util'

/** POSIX lets no other process's bytes come between those of a write to a pipe up to this size (PIPE_BUF on Linux). */
const ATOMIC = 4096
const FILE_BLOCK = 64 * 1024

/** A place that accepts bytes. */
export interface Outlet {
  /** Bytes in one write at most, unless one line is longer. */
  readonly blockSize: number
  /** Resolves to the number of bytes written. Rejects, or resolves to 0, if none can be written now. */
  write(bytes: Uint8Array): Promise<number>
  /** The same for the end of the process, without waiting for a reader. */
  writeSync(bytes: Uint8Array): number
}

/**
 * Opens standard output or standard error for writes that do not block the event loop, nor, for a pipe or a terminal, a
 * thread: libuv has four, and the process could not exit before its reader reads.
 */
export function openOutlet(fd: 1 | 2): Outlet {
  // Not without bigint: Node keeps that result, and realpathSync, which import() uses, takes it for a directory of its path
  // and stops early if it is a pipe or socket.
  const kind = fstatSync(fd, { bigint: true })
  if (kind.isFile()) return fileOutlet(fd)
  const reopened = reopen(fd)
  if (reopened !== null) return nonBlockingOutlet(reopened)
  if (kind.isFIFO() || kind.isSocket()) return streamOutlet(fd)
  return fileOutlet(fd)
}

/**
 * Opens the pipe or terminal a second time. O_NONBLOCK then is a property of our description alone; set on `fd` itself it
 * would hold for every process that shares the terminal or pipe, and make their writes fail.
 */
function reopen(fd: number): number | null {
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants
  try {
    return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY)
  } catch {
    // A socket, another user's pipe, or a system without /proc.
    return null
  }
}

function nonBlockingOutlet(fd: number): Outlet {
  return {
    blockSize: ATOMIC,
    write: async (bytes) => writeSync(fd, bytes),
    writeSync: (bytes) => writeSync(fd, bytes),
  }
}

/** Of a file: only a disk can be slow, and a full one fails at once. */
function fileOutlet(fd: number): Outlet {
  const writeAsync = promisify(write)
  return {
    blockSize: FILE_BLOCK,
    write: async (bytes) => (await writeAsync(fd, bytes)).bytesWritten,
    writeSync: (bytes) => writeSync(fd, bytes),
  }
}

/** Node's own stream sets O_NONBLOCK on a socket or pipe, and waits until it is writable. */
function streamOutlet(fd: 1 | 2): Outlet {
  const stream = fd === 1 ? process.stdout : process.stderr
  // The callback gets it, too.
  stream.on('error', () => {})
  return {
    blockSize: ATOMIC,
    write: (bytes) =>
      new Promise((resolve, reject) => {
        stream.write(bytes, (error) => (error ? reject(error) : resolve(bytes.length)))
      }),
    writeSync: (bytes) => writeSync(fd, bytes),
  }
}
