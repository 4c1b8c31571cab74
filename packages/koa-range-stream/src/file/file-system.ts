import { type BigIntStats, fstat, fstatSync, open, openSync, realpathSync, statSync } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { promisify } from 'node:util'

/** A local disk gives the result at once; a file server gives a promise. */
export type Awaitable<T> = T | Promise<T>

/** The calls that find and open a file. */
export interface FileSystem {
  readonly kind: 'local' | 'network'
  realpath(path: string): Awaitable<string>
  stat(path: string): Awaitable<BigIntStats>
  open(path: string, flags: number): Awaitable<number>
  fstat(fd: number): Awaitable<BigIntStats>
}

/** On a disk of this machine these take microseconds, less than handing them to a thread: a 304 is half as fast again. */
const local: FileSystem = {
  kind: 'local',
  realpath: realpathSync.native,
  stat: (path) => statSync(path, { bigint: true }),
  open: openSync,
  fstat: (fd) => fstatSync(fd, { bigint: true }),
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
}

export const fileSystems: { readonly local: FileSystem; readonly network: FileSystem } = { local, network }
