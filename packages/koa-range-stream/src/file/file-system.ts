import {
  type BigIntStats,
  fstat,
  fstatSync,
  open,
  openSync,
  read,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { promisify } from 'node:util'

/** A local disk gives the result at once; a file server gives a promise. */
export type Awaitable<T> = T | Promise<T>

/** Reads up to `length` bytes from `position` of the file into the buffer at `at`, and returns how many; 0 at the end. */
type Read = (fd: number, buffer: Buffer, at: number, length: number, position: number) => Awaitable<number>

/** Reads on a thread. Handing the read over takes as long as reading 64 KiB that the kernel has in memory. */
export const readByThread = (
  fd: number,
  buffer: Buffer,
  at: number,
  length: number,
  position: number,
): Promise<number> =>
  new Promise((resolve, reject) => {
    read(fd, buffer, at, length, position, (error, count) =>
      error === null ? resolve(count) : reject(error),
    )
  })

/** What the kernel has in memory is there after so many ms, and so many more for each byte. */
const SWIFT = 0.1
const SWIFT_PER_BYTE = 1e-6

/** After a read that waited for the disk, threads read for so many times as long: at most 1 % of the time is waited. */
const REST = 100

let threadsUntil = 0

/** Whether a read in the event loop is likely to find its bytes in the memory of the kernel. */
export function mayReadAtOnce(): boolean {
  return performance.now() >= threadsUntil
}

/** Leaves reads to threads for a while if the one that has just ended took longer than bytes in memory do. */
export function noteRead(started: number, count: number): void {
  const ended = performance.now()
  const took = ended - started
  if (took > SWIFT + count * SWIFT_PER_BYTE) threadsUntil = ended + took * REST
}

/** Reads at once as long as the kernel has in memory what is asked for, which only the time taken can show. */
const readSoon: Read = (fd, buffer, at, length, position) => {
  const started = performance.now()
  if (started < threadsUntil) return readByThread(fd, buffer, at, length, position)
  const count = readSync(fd, buffer, at, length, position)
  noteRead(started, count)
  return count
}

/** The calls that find, open and read a file. */
export interface FileSystem {
  readonly kind: 'local' | 'network'
  realpath(path: string): Awaitable<string>
  stat(path: string): Awaitable<BigIntStats>
  open(path: string, flags: number): Awaitable<number>
  fstat(fd: number): Awaitable<BigIntStats>
  readonly read: Read
}

/** On a disk of this machine these take microseconds, less than handing them to a thread: a 304 is half as fast again. */
const local: FileSystem = {
  kind: 'local',
  realpath: realpathSync.native,
  stat: (path) => statSync(path, { bigint: true }),
  open: openSync,
  fstat: (fd) => fstatSync(fd, { bigint: true }),
  read: readSoon,
}

const openLater = promisify(open)
const fstatLater = promisify(fstat)

/** A file server that is slow, or gone, must not hold every other request. */
const network: FileSystem = {
  kind: 'network',
  realpath,
  stat: (path) => stat(path, { bigint: true }),
  open: (path, flags) => openLater(path, flags),
  fstat: (fd) => fstatLater(fd, { bigint: true }),
  read: readByThread,
}

export const fileSystems: { readonly local: FileSystem; readonly network: FileSystem } = { local, network }
