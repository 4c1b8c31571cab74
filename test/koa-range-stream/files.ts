import { readdir, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export { temporaryDirectory } from '../support/temporary.ts'

/** A file whose last change lies so far back that its entity-tag is strong. */
export async function settledFile(
  directory: string,
  name: string,
  content: string | Buffer,
): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, content)
  await settle()
  return path
}

/** Longer than the 50 ms within which a file may have changed unseen. */
export function settle(): Promise<void> {
  return delay(80)
}

/** How many descriptors this process holds on files below a directory. */
export async function openDescriptors(directory: string): Promise<number> {
  const names = await readdir('/proc/self/fd')
  const targets = await Promise.all(names.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')))
  return targets.filter((target) => target.startsWith(directory)).length
}

/** Bytes that repeat at no multiple of a chunk's length, so that a wrong offset shows. */
export function patterned(length: number): Buffer {
  return Buffer.alloc(
    length,
    Uint8Array.from({ length: 251 }, (_, at) => at),
  )
}
