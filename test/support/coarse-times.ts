import fs, { type BigIntStats } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { onTestFinished, vi } from 'vitest'

/** Midnight, which is a whole second and an even one. */
const STAMP = Date.UTC(2026, 0, 1)

/**
 * Makes the files below `directory` those of a file system whose time stamps have no fractions, such as FAT: everything that
 * the test does gets one time stamp, and one inode number is used again for each new file. Sets the clock to `age` ms after
 * that time stamp. Returns a function that sets it to another age.
 */
export function useCoarseTimes(directory: string, age: number): (age: number) => void {
  const originals = { lstatSync: fs.lstatSync, statSync: fs.statSync, fstatSync: fs.fstatSync }
  const clock = vi.spyOn(Date, 'now').mockReturnValue(STAMP + age)
  for (const [name, original] of Object.entries(originals)) {
    const coarse = (target: unknown, ...options: readonly unknown[]): unknown => {
      const stats: unknown = Reflect.apply(original, fs, [target, ...options])
      const path = typeof target === 'number' ? fs.readlinkSync(`/proc/self/fd/${target}`) : String(target)
      return path.startsWith(directory) && isBigInt(stats) ? Object.assign(stats, STAMPS) : stats
    }
    Reflect.set(fs, name, coarse)
  }
  syncBuiltinESMExports()
  onTestFinished(() => {
    Object.assign(fs, originals)
    syncBuiltinESMExports()
    clock.mockRestore()
  })
  return (next) => void clock.mockReturnValue(STAMP + next)
}

const STAMPS = {
  ino: 1n,
  ctimeMs: BigInt(STAMP),
  mtimeMs: BigInt(STAMP),
  ctimeNs: BigInt(STAMP) * 1_000_000n,
  mtimeNs: BigInt(STAMP) * 1_000_000n,
}

function isBigInt(stats: unknown): stats is BigIntStats {
  return typeof stats === 'object' && stats !== null && typeof Reflect.get(stats, 'ctimeNs') === 'bigint'
}
