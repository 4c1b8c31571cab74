import { read, readSync } from 'node:fs'
import type { Awaitable } from './awaitable.ts'

/** Reads up to `length` bytes from `position` of the file into the buffer at `at`, and tells how many; 0 at the end. */
export type Read = (
  fd: number,
  buffer: Buffer,
  at: number,
  length: number,
  position: number,
) => Awaitable<number>

/** A thread reads; handing it over takes as long as reading 64 KiB that the kernel has in memory. */
export const readLater: Read = (fd, buffer, at, length, position) =>
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

/** Reads at once as long as the kernel has in memory what is asked for, which only the time taken can tell. */
export const readSoon: Read = (fd, buffer, at, length, position) => {
  const started = performance.now()
  if (started < threadsUntil) return readLater(fd, buffer, at, length, position)
  const count = readSync(fd, buffer, at, length, position)
  const ended = performance.now()
  const took = ended - started
  if (took > SWIFT + count * SWIFT_PER_BYTE) threadsUntil = ended + took * REST
  return count
}
