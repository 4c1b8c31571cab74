import { createHash, randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { lstat, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { StoredObject, UploadStore } from 'upload-store'
import { ConfigError } from '../config/values.ts'
import { humanSize } from '../shared/human-size.ts'
import type { Call, Command } from './command.ts'
import { objectsOf } from './objects.ts'
import { openOwnStore } from './open-own-store.ts'
import { stoppedText } from './report.ts'
import { reasonOf } from './walk.ts'

/** The beginning of the names of files that are being written. */
const DRAFT = '.export-'

/** The age in ms from which a draft is that of a process that was killed: other exports write to theirs all the time. */
const ABANDONED = 60 * 60 * 1000

export const EXPORT: Command = {
  name: 'export',
  operands: 'DIR',
  summary:
    'Writes every video, with captions and posters, to a folder, under their names and with their dates',
  flags: [
    { name: 'overwrite', help: 'replace files that have the name of a video and another size or date' },
  ],
  run: exportFiles,
}

async function exportFiles({ operands, config, flags, report, signal }: Call): Promise<number> {
  const [directory, ...more] = operands
  if (directory === undefined || more.length > 0)
    throw new ConfigError('export needs one folder: koa-range-server export DIR')
  const store = await openOwnStore(config)
  await mkdir(directory, { recursive: true })
  await removeAbandoned(directory)
  let [exported, unchanged, failed, bytes] = [0, 0, 0, 0]
  for await (const object of objectsOf(store)) {
    if (signal.aborted) break
    const path = join(directory, object.key)
    try {
      const state = await stateOf(path, object)
      if (state === 'same') unchanged++
      else if (state === 'other' && !flags.has('overwrite'))
        throw new Error('A file of this name has another size or date. Use --overwrite, or another folder.')
      else {
        await write(store, object, directory, path, (count) => {
          signal.throwIfAborted()
          bytes += count
          report.progress(() => `${exported} exported, ${unchanged} unchanged, ${humanSize(bytes)} written`)
        })
        exported++
        report.result({ status: 'exported', key: object.key, size: object.size }, object.key)
      }
    } catch (error) {
      if (signal.aborted) break
      failed++
      const reason = reasonOf(error)
      report.fault({ status: 'failed', key: object.key, reason }, `failed ${object.key}: ${reason}`)
    }
  }
  await store.close()
  report.done()
  report.result(
    { status: 'done', exported, unchanged, failed, bytes },
    `${exported} exported, ${unchanged} unchanged, ${failed} failed (${humanSize(bytes)} written)${stoppedText(signal)}`,
  )
  return failed === 0 ? 0 : 1
}

async function removeAbandoned(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(DRAFT)) continue
    const path = join(directory, name)
    // Another export may be writing it, or just have given it its name.
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }))
    if (Date.now() - mtimeMs > ABANDONED) await rm(path, { force: true })
  }
}

async function stateOf(
  path: string,
  { size, lastModified }: StoredObject,
): Promise<'missing' | 'same' | 'other'> {
  try {
    const entry = await lstat(path)
    return entry.isFile() && entry.size === size && Math.round(entry.mtimeMs) === lastModified
      ? 'same'
      : 'other'
  } catch {
    return 'missing'
  }
}

/** Writes to another name first, so that a file has its name only when it is complete and its digest is right. */
async function write(
  store: UploadStore,
  { key }: StoredObject,
  directory: string,
  path: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const content = await store.get(key)
  if (content === null) throw new Error('It was deleted meanwhile.')
  // Not those of the listing: the object may have been replaced since.
  const { digest, lastModified } = content
  const draft = join(directory, `${DRAFT}${randomBytes(6).toString('hex')}`)
  const hash = createHash('sha256')
  try {
    await pipeline(
      await content.stream(),
      async function* (source) {
        for await (const chunk of source) {
          hash.update(chunk)
          onBytes(chunk.length)
          yield chunk
        }
      },
      createWriteStream(draft, { flags: 'wx', flush: true }),
    )
    const found = hash.digest('hex')
    if (found !== digest) throw new Error(`Its bytes are damaged: their sha-256 is ${found}. Run verify.`)
    await utimes(draft, lastModified / 1000, lastModified / 1000)
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}
