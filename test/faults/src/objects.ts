import { createHash } from 'node:crypto'
import type { StoredObject, UploadStore } from 'upload-store'
import type { Expectation } from './expectation.ts'
import type { Fault } from './fault.ts'

/** Everything acknowledged is there, and everything that is there is whole. */
export async function checkObjects(
  store: UploadStore,
  { keys, damaged, unsure }: Expectation,
): Promise<readonly Fault[]> {
  const faults: Fault[] = []
  const listed = new Map((await listAll(store)).map((object) => [object.key, object]))
  for (const key of new Set([...listed.keys(), ...keys.keys()])) {
    if (damaged.has(key) || unsure.has(key)) continue
    const object = await store.get(key)
    if (listed.get(key)?.digest !== object?.digest)
      faults.push({
        kind: 'torn',
        text: `${key} is listed as ${listed.get(key)?.digest}, not ${object?.digest}`,
      })
    if (object !== null) faults.push(...(await checkBytes(store, object)))
    faults.push(...judge(key, object?.digest ?? null, keys.get(key) ?? new Set([null])))
  }
  return faults
}

function judge(key: string, found: string | null, allowed: ReadonlySet<string | null>): readonly Fault[] {
  if (allowed.has(found)) return []
  const text = `${key} holds ${found}, not ${[...allowed].join(' or ')}`
  const isBack = allowed.size === 1 && allowed.has(null)
  return [isBack ? { kind: 'other', text: `${text}: deleted, or never sent` } : { kind: 'lost', text }]
}

async function listAll(store: UploadStore): Promise<StoredObject[]> {
  const all: StoredObject[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await store.list({ cursor, limit: 3 })
    all.push(...page.items)
    cursor = page.cursor
  }
  return all
}

async function checkBytes(
  store: UploadStore,
  { key, digest, etag, size }: StoredObject,
): Promise<readonly Fault[]> {
  const read = await readObject(store, key)
  if (typeof read === 'string') return [{ kind: 'torn', text: `${key} cannot be read: ${read}` }]
  if (read.length !== size) return [{ kind: 'torn', text: `${key} has ${read.length} bytes of ${size}` }]
  const actual = createHash('sha256').update(read).digest('hex')
  if (actual === digest && etag === `"${digest}"`) return []
  return [{ kind: 'wrong digest', text: `${key} is ${actual}, its record says ${digest}, its etag ${etag}` }]
}

/** All of an object's bytes, or in words why not. */
export async function readObject(store: UploadStore, key: string): Promise<Buffer | string> {
  try {
    const object = await store.get(key)
    if (object === null) return 'there is none'
    const chunks: Buffer[] = []
    for await (const chunk of await object.stream()) chunks.push(chunk)
    return Buffer.concat(chunks)
  } catch (error) {
    return String(error)
  }
}
