import { mkdtempSync, rmSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeFixtures } from './fixtures.ts'

/** A server under test, with the fixtures in it. */
export interface Target {
  /** Ends in a slash, after which the name of a file follows. */
  readonly base: URL
  /** The directory that is served. */
  readonly root: string
  /** Replaces an object; `null` for a server of files. */
  readonly put: ((name: string, bytes: Buffer) => Promise<void>) | null
}

/** What a server needs to start, and what has to be done for it to go. */
export interface Started {
  readonly base: string
  readonly put?: Target['put']
  readonly stop: () => Promise<void>
}

/**
 * Makes the fixtures in a directory of their own and starts a server over them.
 *
 * @param start gets the directory to serve and one to write to
 */
export async function startTarget(
  start: (root: string, home: string) => Promise<Started>,
): Promise<Target & { close: () => Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'conformance-'))
  const remove = () => rmSync(directory, { recursive: true, force: true })
  try {
    // Apache reads it as another user.
    await chmod(directory, 0o755)
    const root = makeFixtures(directory)
    const { base, put = null, stop } = await start(root, directory)
    return { base: new URL(base), root, put, close: () => stop().finally(remove) }
  } catch (error) {
    remove()
    throw error
  }
}
