import { mkdtemp, readFile, statfs } from 'node:fs/promises'
import { join } from 'node:path'

const MEMORY = '/dev/shm'
const TMPFS = 0x01021994
/** Several times what the files of a run take at one time. */
const ENOUGH = 8 * 1024 ** 3

/**
 * Makes a directory whose files are in memory, or returns `null` where there is little memory, or where `TMPDIR` names another
 * place: tests store thousands of files, and each of them waits for the disk several times.
 */
export async function memoryDirectory(): Promise<string | null> {
  return process.env['TMPDIR'] === undefined && (await hasEnough())
    ? mkdtemp(join(MEMORY, 'koa-range-run-'))
    : null
}

async function hasEnough(): Promise<boolean> {
  try {
    const { type, bavail, bsize } = await statfs(MEMORY)
    const [, available] = /^MemAvailable: +(\d+) kB$/m.exec(await readFile('/proc/meminfo', 'utf8')) ?? []
    const options = (await readFile('/proc/mounts', 'utf8')).match(/^\S+ \/dev\/shm .*$/m)?.[0] ?? 'noexec'
    // Tests run programs that they have written.
    const runs = !/\bnoexec\b/.test(options)
    return type === TMPFS && runs && Math.min(bavail * bsize, Number(available) * 1024) > ENOUGH
  } catch {
    return false
  }
}
