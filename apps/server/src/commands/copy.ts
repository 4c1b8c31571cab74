import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import type { StoredContent, StoredObject, UploadMetadata, UploadStore } from 'upload-store'
import { type Config, ConfigError } from '../config/config.ts'
import { humanSize } from '../shared/human-size.ts'
import { type Call, type Command, type CommandFlag, commandConfig } from './command.ts'
import { forEachOf, objectsOf } from './objects.ts'
import { openOrCreateOwnStore, openOwnStore } from './open-own-store.ts'
import { stoppedText } from './report.ts'
import { reasonOf } from './walk.ts'

/** How many objects are copied at once: most of the time of a small one is a wait for the other side. */
const WIDTH = 8

const TARGET_FLAGS: readonly CommandFlag[] = [
  { name: 'to-data', value: 'DIR', help: 'copy to the store in this directory' },
  { name: 'to-store', value: 'KIND', help: 's3: copy to a bucket' },
  { name: 'to-s3-bucket', value: 'NAME', help: 'the bucket' },
  { name: 'to-s3-endpoint', value: 'URL', help: "its engine, if not AWS's own" },
  { name: 'to-s3-region', value: 'NAME', help: 'its region' },
  { name: 'to-s3-prefix', value: 'TEXT', help: 'the beginning of all names in it' },
]

export const COPY: Command = {
  name: 'copy',
  operands: '--to-… …',
  summary: 'Copies every video to another store (disk or S3), with dates, metadata, captions and posters',
  flags: [
    ...TARGET_FLAGS,
    { name: 'overwrite', help: 'replace videos of the same name and another content in the other store' },
  ],
  run: copy,
}

async function copy({ operands, config, flags, report, signal }: Call): Promise<number> {
  if (operands.length > 0)
    throw new ConfigError(
      `copy has no argument ${JSON.stringify(operands[0])}. Name the other store by --to-data or --to-store.`,
    )
  const targetConfig = configOfTarget(flags)
  if (isSameStore(config, targetConfig))
    throw new ConfigError('copy needs two stores, and --data and --to-… name the same one.')
  const from = await openOwnStore(config)
  const to = await openOrCreateOwnStore(targetConfig, { accept: ['*/*'], detectType: undefined })
  let [copied, unchanged, failed, bytes] = [0, 0, 0, 0]
  await forEachOf(objectsOf(from), { width: WIDTH, signal }, async (object) => {
    try {
      const done = await copyObject(from, to, object, flags.has('overwrite'))
      if (done) {
        copied++
        bytes += object.size
        report.result({ status: 'copied', key: object.key, size: object.size }, object.key)
      } else unchanged++
    } catch (error) {
      failed++
      const reason = reasonOf(error)
      report.fault({ status: 'failed', key: object.key, reason }, `failed ${object.key}: ${reason}`)
    }
    report.progress(() => `${copied} copied, ${unchanged} unchanged, ${humanSize(bytes)}`)
  })
  await Promise.all([from.close(), to.close()])
  report.done()
  report.result(
    { status: 'done', copied, unchanged, failed, bytes },
    `${copied} copied, ${unchanged} unchanged, ${failed} failed (${humanSize(bytes)})${stoppedText(signal)}`,
  )
  return failed === 0 ? 0 : 1
}

/** The flags of the other store, without `--to-`. Its variables are not those of this one. */
function configOfTarget(flags: Call['flags']): Config {
  const argv = TARGET_FLAGS.flatMap(({ name }) => {
    const value = flags.get(name)
    return value === undefined ? [] : [`--${name.slice('to-'.length)}=${value}`]
  })
  if (argv.length === 0)
    throw new ConfigError('copy needs the other store. Set --to-data, or --to-store s3 and --to-s3-bucket.')
  return commandConfig(argv, {})
}

function isSameStore(one: Config, other: Config): boolean {
  if (one.s3 !== undefined || other.s3 !== undefined)
    return JSON.stringify(one.s3) === JSON.stringify(other.s3)
  return realDirectory(one.data) === realDirectory(other.data)
}

/** The directory without symbolic links, or its path if it does not exist yet. */
function realDirectory(directory: string): string {
  try {
    return realpathSync(directory)
  } catch {
    return resolve(directory)
  }
}

/** Returns whether the object was copied; `false` if the other store has it already. */
async function copyObject(
  from: UploadStore,
  to: UploadStore,
  { key }: StoredObject,
  overwrite: boolean,
): Promise<boolean> {
  const [source, before] = [await from.get(key), await to.get(key)]
  // Deleted meanwhile.
  if (source === null) return false
  if (before !== null && isEqual(before, source)) return false
  if (before !== null && before.digest !== source.digest && !overwrite)
    throw new Error('The other store has another content of this name. Use --overwrite to replace it.')
  await put(to, source, before)
  return true
}

async function put(to: UploadStore, source: StoredContent, before: StoredObject | null): Promise<void> {
  const { key, size, type, digest, lastModified, metadata } = source
  const condition = before === null ? { ifNoneMatch: '*' as const } : { ifMatch: before.etag }
  // The digest is checked against the bytes, so a damaged object is not copied.
  await to.put(key, await source.stream(), {
    type,
    digest,
    expectedSize: size,
    lastModified,
    metadata,
    ...condition,
  })
}

function isEqual(one: StoredObject, other: StoredObject): boolean {
  return (
    one.digest === other.digest &&
    one.type === other.type &&
    one.lastModified === other.lastModified &&
    isSameMetadata(one.metadata, other.metadata)
  )
}

function isSameMetadata(one: UploadMetadata, other: UploadMetadata): boolean {
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name])
}
