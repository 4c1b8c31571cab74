import { createHash } from 'node:crypto'
import { appendFile, link, mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createFsStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { runScript } from '../support/node-script.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { bytesOf, source } from './contract.ts'
import { describeConcatenation } from './contract-concatenation.ts'
import { describeResumption } from './contract-resume.ts'

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')

describeResumption('file-system store', async (options) => createFsStore(await temporaryDirectory(), options))
describeConcatenation('file-system store', async (options) =>
  createFsStore(await temporaryDirectory(), options),
)

const staged = (directory: string) => readdir(join(directory, 'staging'))

describe('an upload on a file system', () => {
  it('resumes in another process after the first was killed, and its hash is computed again', async () => {
    const directory = await temporaryDirectory()
    const script = runScript(
      `const session = await store.createUpload('a', { type: 'video/mp4' })
       await session.pause()
       const resumed = await store.resumeUpload(session.id)
       async function* slowly() {
         for (let value = 0; ; value++) { yield Buffer.alloc(300_000, value); await sleep(5); if (value === 3) say(session.id) }
       }
       await resumed.append(0, slowly())`,
      directory,
    )
    const id = String(await script.next())
    await script.kill('SIGKILL')
    const store = createFsStore(directory)
    expect(await store.recover()).toEqual({ paused: 1, discarded: 0, busy: 0 })
    const session = await store.resumeUpload(id)
    const offset = session?.offset ?? 0
    // What was in a block that was not full is lost, and no more.
    expect(offset).toBeGreaterThanOrEqual(3 * 256 * 1024)
    await session?.append(offset, source('end'))
    const { size, digest, type } = (await session?.commit()) ?? {}
    expect({ size, type }).toEqual({ size: offset + 3, type: 'video/mp4' })
    const bytes = await bytesOf((await (await store.get('a'))?.stream()) ?? source())
    expect(sha256(bytes)).toBe(digest)
    expect(bytes.subarray(0, 300_000).every((value) => value === 0)).toBe(true)
    expect(await staged(directory)).toEqual([])
  })

  it('leaves only its receipt after its commit, although several stores ask for it at once', async () => {
    const directory = await temporaryDirectory()
    const stores = Array.from({ length: 4 }, () => createFsStore(directory))
    const [store] = stores
    const session = await store?.createUpload('a', { metadata: {} })
    await session?.append(0, source('hello'))
    await session?.commit()
    const id = session?.id ?? ''
    for (let round = 0; round < 20; round++) {
      const asked = await Promise.allSettled(stores.map((each) => each.interruptUpload(id)))
      for (const answer of asked)
        if (answer.status === 'fulfilled') expect(answer.value?.committed?.key).toBe('a')
    }
    expect(await store?.interruptUpload(id)).toMatchObject({ offset: 5 })
    expect(await staged(directory)).toEqual([`${id}.json`])
  })

  it('is removed after its process was killed where it had never been paused', async () => {
    const directory = await temporaryDirectory()
    const script = runScript(
      `const session = await store.createUpload('a')
       await session.append(0, bytes('x'.repeat(1_000_000)))
       say(session.id)
       await sleep(60_000)`,
      directory,
    )
    const id = String(await script.next())
    const store = createFsStore(directory)
    expect(await store.recover()).toEqual({ paused: 0, discarded: 0, busy: 1 })
    await script.kill('SIGKILL')
    expect(await store.resumeUpload(id)).toBeNull()
    expect(await store.recover()).toEqual({ paused: 0, discarded: 1, busy: 0 })
    expect(await staged(directory)).toEqual([])
  })

  it('is taken within 200 ms from another process that lives and waits for bytes', async () => {
    const directory = await temporaryDirectory()
    const script = runScript(
      `const session = await store.createUpload('a')
       await session.append(0, bytes('hello '))
       await session.pause()
       const resumed = await store.resumeUpload(session.id)
       say(session.id)
       async function* never() { await sleep(60_000) }
       await resumed.append(6, never()).catch((error) => say(error.code))
       process.exit()`,
      directory,
    )
    const id = String(await script.next())
    const store = createFsStore(directory)
    const started = performance.now()
    const session = await store.resumeUpload(id)
    expect(performance.now() - started).toBeLessThan(1000)
    expect(await script.next()).toBe('ABORTED')
    await session?.append(6, source('world'))
    expect(await session?.commit()).toMatchObject({ digest: sha256('hello world') })
  })

  it('is acquired although another process resumes it at that moment and hashes the stored bytes', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    const session = await store.createUpload('a')
    for (let round = 0; round < 20; round++)
      await session.append(session.offset, source(Buffer.alloc(10_000_000)))
    await session.pause()
    const script = runScript(
      `setTimeout(() => say('begun'), 10)
       const session = await store.resumeUpload(rest[0])
       await session.append(session.offset, (async function* () { await sleep(60_000) })()).catch((error) => say(error.code))
       process.exit()`,
      directory,
      session.id,
    )
    expect(await script.next()).toBe('begun')
    const resumed = await store.resumeUpload(session.id)
    expect(resumed?.offset).toBe(200_000_000)
    await resumed?.abort()
  })

  it('has one writer at any time, however many processes want it', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    const created = await store.createUpload('a')
    await created.pause()
    const { id } = created
    // Each appends its own number as often as it gets hold of the upload; whole blocks, so that a torn one would show.
    const code = `
      let appended = 0
      while (appended < 5) {
        try {
          const session = await store.resumeUpload(rest[0])
          await session.append(session.offset, bytes(Buffer.alloc(300_000, Number(rest[1]))))
          await session.pause()
          appended++
        } catch (error) { if (error.code !== 'ABORTED') throw error; await sleep(Math.random() * 30) }
      }
      say(appended)`
    const scripts = [1, 2, 3].map((number) => runScript(code, directory, id, String(number)))
    for (const script of scripts) expect(await script.ended).toBe(0)
    const session = await store.resumeUpload(id)
    const object = await session?.commit()
    const bytes = await bytesOf((await (await store.get('a'))?.stream()) ?? source())
    expect(sha256(bytes)).toBe(object?.digest)
    // A taken-over append may have left whole blocks of its own: at least what was acknowledged is there.
    expect(bytes.length).toBeGreaterThanOrEqual(15 * 300_000)
  })

  it('goes back to its durable offset after a power cut, since what lies behind it may be anything', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    const session = await store.createUpload('a')
    await session.append(0, source('durable'))
    await session.pause()
    const manifest = join(directory, 'staging', `${session.id}.json`)
    await appendFile(join(directory, 'staging', `${session.id}.part`), '\0\0\0\0')
    expect(await (await createFsStore(directory).resumeUpload(session.id))?.pause()).toBe(11)
    const before = await readFile(manifest, 'utf8')
    await writeFile(
      manifest,
      before.replace(/"offset":11/, '"offset":7').replace(/"boot":"[^"]*"/, '"boot":"another"'),
    )
    const resumed = await createFsStore(directory).resumeUpload(session.id)
    expect(resumed?.offset).toBe(7)
    expect(await resumed?.commit()).toMatchObject({ digest: sha256('durable') })
  })

  it('is CORRUPT when fewer bytes are there than were made durable', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    const session = await store.createUpload('a')
    await session.append(0, source('durable'))
    await session.pause()
    await truncate(join(directory, 'staging', `${session.id}.part`), 3)
    await expect(createFsStore(directory).resumeUpload(session.id)).rejects.toMatchObject({ code: 'CORRUPT' })
  })

  it('never writes into bytes that an object shares', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    const session = await store.createUpload('a')
    await session.append(0, source('shared'))
    await session.pause()
    // As a process leaves it that dies between linking the blob and publishing its record.
    const digest = sha256('shared')
    const shard = join(directory, 'digests', digest.slice(0, 2))
    await mkdir(shard)
    await link(join(directory, 'staging', `${session.id}.part`), join(shard, digest))
    await store.put('b', source('shared'))
    const resumed = await createFsStore(directory).resumeUpload(session.id)
    await resumed?.append(6, source(' no more'))
    await resumed?.commit()
    const stream = await (await store.get('b'))?.stream()
    expect(String(await bytesOf(stream ?? source()))).toBe('shared')
    expect((await stat(join(shard, digest))).size).toBe(6)
  })
})
