import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { must, tool } from './command.ts'

/**
 * How many bytes a package may have with its dependencies, minified and compressed by brotli. Of koa-range-stream, 570 bytes
 * are the interface of the kernel's sender and the sending without Koa, 130 send a short file without a promise, and 50
 * warn of a wrong order. The subpath `sendfile` is not counted.
 */
export const BUDGETS: Readonly<Record<string, number>> = { 'range-core': 4000, 'koa-range-stream': 10_700 }

/** What everything a package exports weighs, minified and by brotli, in bytes. */
export async function sizeOf(name: string, project: string): Promise<number> {
  const rolldown = await tool('rolldown@1.2.19', 'rolldown')
  await writeFile(join(project, 'entry.js'), `export * from '${name}'`)
  const flags = ['entry.js', '--file', 'bundle.js', '--format', 'esm', '--platform', 'node', '--minify']
  await must(rolldown, flags, project)
  return brotliCompressSync(await readFile(join(project, 'bundle.js'))).length
}
