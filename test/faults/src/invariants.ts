import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { UploadStore } from 'upload-store'
import { bytesOf, type Content, chunksOf, digestOf } from './content.ts'
import { type DiskFile, damage, filesBelow, recordsBelow } from './disk.ts'
import type { Expectation, ExpectedSession } from './expectation.ts'
import type { Fault } from './fault.ts'
import { checkObjects, readObject } from './objects.ts'
import { openStore } from './open-store.ts'

/** Starts the store in `directory` anew, as after a crash, and returns all that is not as it has to be. */
export async function check(directory: string, expected: Expectation): Promise<readonly Fault[]> {
  const faults: Fault[] = []
  try {
    const store = openStore(directory)
    await store.recover()
    await store.sweep()
    faults.push(...(await checkObjects(store, expected)))
    faults.push(...checkFiles(directory, expected))
    for (const session of expected.sessions.values()) {
      faults.push(...(await checkReceipt(store, session)), ...(await checkSession(store, session)))
    }
    faults.push(...(await checkVerify(store, directory, expected)))
    faults.push(...(await checkUse(store, 'next', { seed: 'next', size: 5000 })))
    await store.sweep()
    await store.close()
    await expireReceipts(directory, expected)
    faults.push(...checkFiles(directory))
  } catch (error) {
    faults.push({ kind: 'other', text: `threw ${error instanceof Error ? error.stack : error}` })
  }
  return faults
}

/** What uploads with metadata leave goes with time: receipts, and those that nobody was told of. */
async function expireReceipts(directory: string, { sessions, untold }: Expectation): Promise<void> {
  if (untold === 0 && ![...sessions.values()].some(({ known }) => known)) return
  const store = openStore(directory, { expireAfter: 0 })
  await store.sweep()
  await store.close()
}

/** A commit has left a receipt if and only if its object is there. */
async function checkReceipt(
  store: UploadStore,
  { id, content, known, ending }: ExpectedSession,
): Promise<readonly Fault[]> {
  if (!known || typeof ending !== 'string') return []
  const state = await store.interruptUpload(id)
  const digest = (await store.get(ending))?.digest
  const isThere = digest === digestOf(content)
  if (isThere === (state?.committed?.digest === digestOf(content))) return []
  return [{ kind: 'lost', text: `the receipt of ${id} says ${state?.committed?.digest}, the key ${digest}` }]
}

/** A paused session goes on where it was acknowledged, or was ended. */
async function checkSession(
  store: UploadStore,
  { id, content, offset, ending, ended }: ExpectedSession,
): Promise<readonly Fault[]> {
  const session = await store.resumeUpload(id)
  if (session === null) {
    if (offset === null || ending === null || ended) return []
    const isCommitted = ending !== undefined && (await store.get(ending))?.digest === digestOf(content)
    return isCommitted ? [] : [{ kind: 'lost', text: `the session ${id}, paused at ${offset}, is gone` }]
  }
  const faults: Fault[] = []
  if (ended) faults.push({ kind: 'orphan', text: `the session ${id} was ended, and is there` })
  if (session.offset < (offset ?? 0))
    faults.push({ kind: 'lost', text: `the session ${id} went back from ${offset} to ${session.offset}` })
  await session.append(session.offset, chunksOf(content, session.offset))
  const { digest } = await session.seal()
  if (digest !== digestOf(content))
    faults.push({ kind: 'torn', text: `the session ${id} has other bytes than were sent` })
  await session.abort()
  return faults
}

/**
 * No file that nobody needs: each blob has one record, each digest link is one more name of a blob or of a sealed upload.
 *
 * @param open what is expected of a store that is open: its own file among the owners, and staged what can be resumed
 */
function checkFiles(directory: string, open?: Expectation): readonly Fault[] {
  const files = filesBelow(directory)
  const named = recordsBelow(directory).map(({ blob }) => blob)
  const bytes = files.filter(({ path }) => /^(?:blobs|staging)\//.test(path)).map(({ inode }) => inode)
  const isNeeded = ({ path, inode }: DiskFile) => {
    if (path.startsWith('blobs/')) return named.filter((blob) => blob === basename(path)).length === 1
    if (path.startsWith('digests/')) return bytes.includes(inode)
    if (path.startsWith('owners/')) return open !== undefined && isOurs(join(directory, path))
    const [, id = ''] = /^staging\/([\w-]{22})\.(?:part|json|fence|json\.tmp|part\.tmp)$/.exec(path) ?? []
    if (path.startsWith('staging/')) return open?.sessions.has(id) === true || (open?.untold ?? 0) > 0
    return /^(?:FORMAT|quarantine\/.*|records\/..\/[\da-f]{64}\.json)$/.test(path)
  }
  return files
    .filter((file) => !isNeeded(file))
    .map(({ path }) => ({ kind: 'orphan', text: `${path} is left` }))
}

/** Whether an owner's file names this process. */
function isOurs(path: string): boolean {
  return readFileSync(path, 'utf8').includes(`/${process.pid}/`)
}

/** What was damaged is put aside and not thrown away, and nothing else is. */
async function checkVerify(
  store: UploadStore,
  directory: string,
  { damaged, unsure }: Expectation,
): Promise<readonly Fault[]> {
  const faults: Fault[] = []
  for (const { key, reason } of (await store.verify()).quarantined)
    if (!damaged.has(key ?? '') && !unsure.has(key ?? ''))
      faults.push({ kind: 'wrong digest', text: `verify: ${key}: ${reason}` })
  for (const [key, content] of damaged) {
    if ((await store.get(key)) !== null)
      faults.push({ kind: 'wrong digest', text: `${key} is damaged, and still there` })
    const isKept = filesBelow(directory).some(
      ({ path }) =>
        path.startsWith('quarantine/') &&
        readFileSync(join(directory, path)).equals(damage(bytesOf(content))),
    )
    if (!isKept) faults.push({ kind: 'lost', text: `the damaged bytes of ${key} are not in quarantine` })
    faults.push(...(await checkUse(store, key, content)))
  }
  return faults
}

/** Whatever happened, the store takes the next upload. */
async function checkUse(store: UploadStore, key: string, content: Content): Promise<readonly Fault[]> {
  await store.put(key, chunksOf(content))
  const read = await readObject(store, key)
  const isThere = typeof read !== 'string' && read.equals(bytesOf(content))
  const isGone = (await store.delete(key)) && (await store.get(key)) === null
  return isThere && isGone ? [] : [{ kind: 'other', text: `${key} could not be put, read and deleted again` }]
}
