import { createReadStream } from 'node:fs'
import {
  type FsStore,
  type StoredObject,
  StoreError,
  sanitizeKey,
  type UploadSession,
  type UploadStore,
} from 'upload-store'
import { ConfigError } from '../config/values.ts'
import { humanSize } from '../shared/human-size.ts'
import { publishAsNew } from '../uploads/publish.ts'
import type { Call, Command } from './command.ts'
import { companionKey } from './companion-key.ts'
import { EarlierImports } from './earlier-imports.ts'
import { openOrCreateOwnStore } from './open-own-store.ts'
import { type Report, stoppedText } from './report.ts'
import { type FoundFile, reasonOf, walk } from './walk.ts'

export const IMPORT: Command = {
  name: 'import',
  operands: 'PATH…',
  summary: 'Imports video files, and folders at any depth, with their dates',
  flags: [
    {
      name: 'link',
      help: 'make hard links in place of copies; the files must then not be written to any more',
    },
    { name: 'checksum', help: 'compare contents with stored videos, in place of name, size and date' },
  ],
  run: importFiles,
}

type Outcome = 'imported' | 'unchanged' | 'refused'

/** One run of the command: its options, and what it has done so far. */
interface Run {
  readonly store: UploadStore
  readonly report: Report
  readonly link: boolean
  readonly checksum: boolean
  readonly counts: Record<Outcome, number>
  readonly signal: AbortSignal
  readonly earlier: EarlierImports
  /** Read so far. */
  bytes: number
  /** The folder of the present file, and the keys that its files have become, by name. */
  directory: string
  readonly keys: Map<string, string>
}

async function importFiles(call: Call): Promise<number> {
  const { operands, report, signal } = call
  const run = await startRun(call)
  for (const operand of operands) {
    for await (const found of walk(operand)) {
      if (signal.aborted) break
      if ('reason' in found) refuse(run, found.path, found.reason)
      else await importFile(run, found)
    }
  }
  await run.store.close()
  report.done()
  const { imported, unchanged, refused } = run.counts
  report.result(
    { status: 'done', imported, unchanged, refused, bytes: run.bytes },
    `${imported} imported, ${unchanged} unchanged, ${refused} refused (${humanSize(run.bytes)} read)${stoppedText(signal)}`,
  )
  return refused === 0 ? 0 : 1
}

async function startRun({ operands, config, flags, report, signal }: Call): Promise<Run> {
  if (operands.length === 0)
    throw new ConfigError('import needs at least one file or folder: koa-range-server import PATH…')
  const link = flags.has('link')
  if (link && config.s3 !== undefined)
    throw new ConfigError('--link needs a store on this machine. Omit it, or --store s3.')
  const warning = 'Do not write to the linked files any more: that would damage the videos.'
  if (link) report.fault({ status: 'warning', reason: warning }, warning)
  const store = await openOrCreateOwnStore(config)
  const counts = { imported: 0, unchanged: 0, refused: 0 }
  return {
    store,
    report,
    link,
    checksum: flags.has('checksum'),
    counts,
    signal,
    earlier: new EarlierImports(store),
    bytes: 0,
    directory: '',
    keys: new Map(),
  }
}

function refuse({ report, counts }: Run, path: string, reason: string): void {
  counts.refused++
  report.fault({ status: 'refused', path, reason }, `refused ${path}: ${reason}`)
}

/** @throws the reason of the signal, so that a long file does not delay the end */
function addBytes(run: Run, count: number): void {
  run.signal.throwIfAborted()
  run.bytes += count
  const { imported, unchanged } = run.counts
  run.report.progress(() => `${imported} imported, ${unchanged} unchanged, ${humanSize(run.bytes)} read`)
}

async function importFile(run: Run, file: FoundFile): Promise<void> {
  const { keys, report, counts, earlier } = run
  if (file.directory !== run.directory) keys.clear()
  run.directory = file.directory
  const { path, name } = file
  try {
    const { key, object } = await store(run, file)
    keys.set(name, key)
    earlier.take(key)
    counts[object === null ? 'unchanged' : 'imported']++
    if (object !== null)
      report.result({ status: 'imported', path, key, size: object.size, type: object.type }, key)
  } catch (error) {
    if (run.signal.aborted) return
    // No other file can be stored either.
    if (error instanceof StoreError && ['NO_SPACE', 'UNAVAILABLE'].includes(error.code)) throw error
    refuse(run, path, reasonOf(error))
  }
}

/** Stores a file unless it is stored already. Returns its key, and the object if it is new. */
async function store(
  run: Run,
  file: FoundFile,
): Promise<{ readonly key: string; readonly object: StoredObject | null }> {
  const { checksum, keys, earlier } = run
  const key = companionKey(file.name, keys) ?? sanitizeKey(file.name)
  const known = checksum ? null : await earlier.findByDate(key, file)
  if (known !== null) return { key: known, object: null }
  const session = await stage(run, key, file)
  // A copy of the file in another folder, perhaps with another date, is the same video.
  const before = await earlier.findByDigest(key, session)
  if (before !== null) {
    await session.abort()
    return { key: before, object: null }
  }
  const object = await publishAsNew(run.store, session, {}, file.modified)
  return { key: object.key, object }
}

/** Returns a sealed upload with the bytes of the file. */
async function stage(run: Run, key: string, file: FoundFile): Promise<UploadSession> {
  const { store, link } = run
  const onBytes = (count: number) => addBytes(run, count)
  if (isFsStore(store)) return store.createUploadFromFile(key, file.path, { link, onProgress: onBytes })
  const session = await store.createUpload(key, { expectedSize: file.size })
  try {
    await session.append(0, counted(createReadStream(file.path), onBytes))
    return session
  } catch (error) {
    await session.abort().catch(() => {})
    throw error
  }
}

function isFsStore(store: UploadStore): store is FsStore {
  return 'createUploadFromFile' in store
}

async function* counted(
  source: AsyncIterable<Buffer>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    onBytes(chunk.length)
    yield chunk
  }
}
