import { randomUUID } from 'node:crypto'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A directory that goes when the test has finished. */
export async function temporaryDirectory(): Promise<string> {
  // As /proc and realpath know it, where the system's own is behind a link.
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'koa-range-')))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** A path at which there is no file on any machine. */
export function missingPath(): string {
  return join(tmpdir(), `missing-${randomUUID()}`)
}
