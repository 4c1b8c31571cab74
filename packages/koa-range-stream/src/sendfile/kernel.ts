import type Koffi from 'koffi'
import type { LibraryHandle } from 'koffi'

/** Calls of the C library, which return at once: koffi's asynchronous calls could meet a descriptor that was closed and reused. */
export interface Kernel {
  /** Copies bytes of a file to a socket, and returns their number; 0 at the end of the file, -1 if none were copied. */
  sendfile(socket: number, fd: number, position: number, length: number): number
  /** Holds incomplete packets of a TCP connection back, or sends them. */
  cork(socket: number, holds: boolean): void
  /** Whether the kernel has a byte of a file in memory; `null` if the file system cannot say, or at the end of the file. */
  isInMemory(fd: number, position: number): boolean | null
}

const RWF_NOWAIT = 8
const IPPROTO_TCP = 6
const TCP_CORK = 3

/** Returns `null` if koffi is not installed, or does not work with this C library. */
export function loadKernel(require: NodeJS.Require): Kernel | null {
  try {
    const koffi: typeof Koffi = require('koffi')
    return bind(koffi)
  } catch {
    return null
  }
}

function bind(koffi: typeof Koffi): Kernel {
  const library = koffi.load(null)
  const sendfile = findSendfile(library)
  const preadv2 = findPreadv2(library)
  const setsockopt: Setsockopt = library.func(
    'int setsockopt(int socket, int level, int name, const void *value, uint32_t length)',
  )
  // Shared, because each call has ended before the next one begins.
  const offset = new BigInt64Array(1)
  // A `struct iovec` of one byte, of memory that lives as long as the process.
  const byte = new BigUint64Array([koffi.address(koffi.alloc('uint8_t', 1)), 1n])
  const is64Bit = koffi.sizeof('void *') === 8
  return {
    sendfile(socket, fd, position, length) {
      offset[0] = BigInt(position)
      return sendfile(socket, fd, offset, length)
    },
    cork(socket, holds) {
      // A Unix socket refuses it, and needs none.
      setsockopt(socket, IPPROTO_TCP, TCP_CORK, holds ? ON : OFF, ON.byteLength)
    },
    isInMemory(fd, position) {
      const count = is64Bit && preadv2 !== null ? preadv2(fd, byte, 1, position, RWF_NOWAIT) : 0
      if (count === 1) return true
      return count === -1 && koffi.errno() === koffi.os.errno['EAGAIN'] ? false : null
    },
  }
}

type Sendfile = (socket: number, fd: number, offset: BigInt64Array, length: number) => number

function findSendfile(library: LibraryHandle): Sendfile {
  const parameters = '(int out, int in, void *offset, size_t count)'
  try {
    return library.func(`intptr_t sendfile64${parameters}`)
  } catch {
    // musl has one function, whose offset has 64 bits.
    return library.func(`intptr_t sendfile${parameters}`)
  }
}

type Setsockopt = (socket: number, level: number, name: number, value: Int32Array, length: number) => number

const ON = new Int32Array([1])
const OFF = new Int32Array([0])

type Preadv2 = (fd: number, vectors: BigUint64Array, count: number, position: number, flags: number) => number

function findPreadv2(library: LibraryHandle): Preadv2 | null {
  try {
    return library.func('intptr_t preadv2(int fd, void *vectors, int count, int64_t position, int flags)')
  } catch {
    return null
  }
}
