import { execFile } from 'node:child_process'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { promisify } from 'node:util'

/** Asks the kernel to forget what it has read of a file, which it does where all of it is on the disk. */
export async function dropFromPageCache(path: string): Promise<void> {
  await promisify(execFile)('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none'])
}

/** How many bytes a process has had fetched from a disk so far. */
export function bytesFetched(pid: number): number {
  const [, bytes] = /^read_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'latin1')) ?? []
  return Number(bytes)
}

/** Whether reading a file that was dropped takes the disk: a tmpfs has none, for one. */
export async function canBeDropped(path: string, size: number): Promise<boolean> {
  await dropFromPageCache(path)
  const before = bytesFetched(process.pid)
  const file = openSync(path, 'r')
  readSync(file, Buffer.alloc(1), 0, 1, Math.floor(size / 2))
  closeSync(file)
  return bytesFetched(process.pid) > before
}
