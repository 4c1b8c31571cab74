import { createHash } from 'node:crypto'
import { chmod, link, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createFsStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { runScript } from '../support/node-script.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { bytesOf, source } from './contract.ts'
import { describeUploads } from './contract-uploads.ts'

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')

describeUploads('file-system store', async (options) => createFsStore(await temporaryDirectory(), options))

const staged = (directory: string) => readdir(join(directory, 'staging'))

describe('an upload with metadata on a file system', () => {
  it('resumes after its process was killed in its very first append', async () => {
    const directory = await temporaryDirectory()
    const script = runScript(
      `const session = await store.createUpload('a', { type: 'video/mp4', metadata: { length: 9 } })
       async function* slowly() {
         for (let value = 0; ; value++) { yield Buffer.alloc(300_000, value); await sleep(5); if (value === 3) say(session.id) }
       }
       await session.append(0, slowly())`,
      directory,
    )
    const id = String(await script.next())
    await script.kill('SIGKILL')
    const store = createFsStore(directory)
    expect(await store.recover()).toEqual({ paused: 1, discarded: 0, busy: 0 })
    const { offset = 0, metadata } = (await store.interruptUpload(id)) ?? {}
    expect(metadata).toEqual({ length: 9 })
    expect(offset).toBeGreaterThanOrEqual(3 * 256 * 1024)
    const session = await store.resumeUpload(id)
    expect(session?.offset).toBe(offset)
    await session?.append(offset, source('end'))
    const object = await session?.commit()
    const bytes = await bytesOf((await (await store.get('a'))?.stream()) ?? source())
    expect([bytes.length, sha256(bytes)]).toEqual([offset + 3, object?.digest])
    expect(await staged(directory)).toEqual([`${id}.json`])
  })

  it('is reported within 200 ms although another process writes it, and that process can resume it', async () => {
    const directory = await temporaryDirectory()
    const script = runScript(
      `const session = await store.createUpload('a', { metadata: {} })
       say(session.id)
       async function* stalling() { yield Buffer.from('hello '); await sleep(60_000) }
       await session.append(0, stalling()).catch((error) => say(error.code))
       await sleep(300)
       const resumed = await store.resumeUpload(session.id)
       await resumed.append(6, bytes('world'))
       say((await resumed.commit()).digest)
       process.exit()`,
      directory,
    )
    const id = String(await script.next())
    await new Promise((resolve) => setTimeout(resolve, 100))
    const store = createFsStore(directory)
    const started = performance.now()
    expect(await store.interruptUpload(id)).toMatchObject({ offset: 6, committed: null })
    expect(performance.now() - started).toBeLessThan(1000)
    expect(await script.next()).toBe('ABORTED')
    expect(await script.next()).toBe(sha256('hello world'))
    expect(await store.interruptUpload(id)).toMatchObject({ offset: 11, committed: { key: 'a' } })
  })

  it('reports what it became, or that it is not committed yet', async () => {
    const directory = await temporaryDirectory()
    const [store, other] = [createFsStore(directory), createFsStore(directory)]
    const taken = await store.put('a', source('x'))
    const session = await store.createUpload('a', { metadata: {} })
    await session.append(0, source('y'))
    await expect(session.commit({ ifNoneMatch: '*' })).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
    expect(await other.getUpload(session.id)).toMatchObject({ committed: null })
    const object = await session.commit({ ifMatch: taken.etag })
    await store.put('a', source('z'))
    for (const each of [store, other]) {
      expect(await each.getUpload(session.id)).toMatchObject({ committed: object })
    }
  })

  it('becomes durable as it comes, so that a power cut takes 8 MiB or so', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    const session = await store.createUpload('a', { metadata: {} })
    const manifest = join(directory, 'staging', `${session.id}.json`)
    const told: number[] = []
    async function* chunks() {
      for (let sent = 0; sent < 40; sent++) {
        yield Buffer.alloc(1024 ** 2, sent)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      const [last = 0] = told.slice(-1)
      // What a power cut would leave to believe.
      expect(JSON.parse(await readFile(manifest, 'utf8')).offset).toBeGreaterThanOrEqual(last)
    }
    await session.append(0, chunks(), { onDurable: (offset) => told.push(offset) })
    expect(told.length).toBeGreaterThanOrEqual(2)
    expect(told).toEqual([...told].sort((a, b) => a - b))
    expect(told[0]).toBeGreaterThanOrEqual(8 * 1024 ** 2)
    await session.setMetadata({ noted: true })
    const { metadata, offset } = JSON.parse(await readFile(manifest, 'utf8'))
    expect(metadata).toEqual({ noted: true })
    // The last checkpoint may have ended after the append, which no longer reports it.
    expect(offset).toBeGreaterThanOrEqual(told.at(-1) ?? 0)
    expect(await session.commit()).toMatchObject({ size: 40 * 1024 ** 2 })
  })

  it('goes back behind what had become durable when that is refused', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    const session = await store.createUpload('a', { metadata: {} })
    await session.append(0, source('hello '))
    const verify = () => Promise.reject(new Error('not these'))
    const wrong = session.append(6, source(...Array<string>(20).fill('x'.repeat(1024 ** 2))), { verify })
    await expect(wrong).rejects.toThrow('not these')
    expect(await session.pause()).toBe(6)
    expect(await createFsStore(directory).resumeUpload(session.id)).toMatchObject({ offset: 6 })
  })

  it('hashes what others have added, and no more, when it comes back', async () => {
    const directory = await temporaryDirectory()
    const [one, other] = [createFsStore(directory), createFsStore(directory)]
    const { id } = await one.createUpload('a', { metadata: {} })
    let whole = ''
    for (let turn = 0; turn < 6; turn++) {
      const session = await (turn % 2 === 0 ? one : other).resumeUpload(id)
      whole += `${turn}`.repeat(1000)
      await session?.append(turn * 1000, source(`${turn}`.repeat(1000)))
      await session?.pause()
    }
    expect(await (await one.resumeUpload(id))?.commit()).toMatchObject({ digest: sha256(whole) })
  })

  it('has been committed where a process died between that and its receipt', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    const session = await store.createUpload('a', { metadata: {} })
    await session.append(0, source('hello'))
    const part = join(directory, 'staging', `${session.id}.part`)
    await chmod(part, 0o440)
    await link(part, join(directory, 'kept'))
    const object = await session.commit()
    // The part goes last, so that it is all that is left of a commit that was cut short.
    await link(join(directory, 'kept'), part)
    expect(await store.getUpload(session.id)).toMatchObject({ committed: object })
    expect(await store.recover()).toMatchObject({ paused: 0 })
    expect(await store.interruptUpload(session.id)).toMatchObject({ committed: object, offset: 5 })
    expect(await staged(directory)).toEqual([`${session.id}.json`])
  })
})
