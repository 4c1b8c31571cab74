import { createHash, randomBytes } from 'node:crypto'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createFsStore, type UploadPart, type UploadStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { runScript } from '../support/node-script.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { bytesOf, source } from './contract.ts'
import { storePart } from './contract-concatenation.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const recordName = (key: string) => createHash('sha256').update(key).digest('hex')
const text = async (store: ReturnType<typeof createFsStore>, key: string) =>
  String(await bytesOf((await (await store.get(key))?.stream()) ?? source()))

/** Leaves receipts of all parts, as a process does that continues after another one was killed. */
async function expectReceipts(store: UploadStore, parts: readonly UploadPart[]): Promise<void> {
  const [first, ...others] = parts
  for (const { id } of others) expect(await store.leaveReceipt(id, first?.id ?? '')).toBe(true)
  for (const { id } of parts) expect((await store.getUpload(id))?.committed).toMatchObject({ key: 'whole' })
}

describe('processes that share a store', () => {
  it('see at once what another one stored, replaced and deleted', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    const script = runScript(
      `say('ready')
       for (let round = 0; round < 30; round++) {
         await store.put('a', bytes('round ' + round)); say(round)
         while ((await store.get('ack-' + round)) === null) await sleep(1)
         await store.delete('a'); say(round)
         while ((await store.get('gone-' + round)) === null) await sleep(1)
       }`,
      directory,
    )
    expect(await script.next()).toBe('ready')
    for (let round = 0; round < 30; round++) {
      await script.next()
      expect(await text(store, 'a')).toBe(`round ${round}`)
      expect((await store.list({ prefix: 'a', limit: 1 })).items).toMatchObject([{ key: 'a' }])
      await store.put(`ack-${round}`, source('x'))
      await script.next()
      expect(await store.get('a')).toBeNull()
      expect((await store.list()).items.map(({ key }) => key)).not.toContain('a')
      await store.put(`gone-${round}`, source('x'))
    }
    expect(await script.ended).toBe(0)
  })

  it('let exactly one of them replace or delete the object that all have seen', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    const rounds = 40
    const etags: string[] = []
    for (let round = 0; round < rounds; round++) {
      etags.push((await store.put(`key-${round}`, source(`seen ${round}`))).etag)
    }
    const code = `
      const etags = JSON.parse(rest[0])
      let won = 0
      for (const [round, ifMatch] of etags.entries()) {
        const key = 'key-' + round
        const step = rest[1] === 'delete'
          ? store.delete(key, { ifMatch })
          : store.put(key, bytes('by ' + rest[1] + round), { ifMatch })
        await step.then(() => won++, (error) => { if (error.code !== 'PRECONDITION_FAILED') throw error })
      }
      say(won)`
    const scripts = ['delete', 'one', 'two'].map((name) =>
      runScript(code, directory, JSON.stringify(etags), name),
    )
    const won = await Promise.all(scripts.map((script) => script.next()))
    expect(won.map(Number).reduce((sum, each) => sum + each, 0)).toBe(rounds)
    expect(await readdir(join(directory, 'staging'))).toEqual([])
    expect(await store.sweep()).toMatchObject({ blobs: 0, digests: 0, discarded: 0 })
  })

  it('let exactly one of 100 racers create a key, and store one inode for 100 of the same content', async () => {
    const directory = await temporaryDirectory()
    const code = `
      const puts = Array.from({ length: 50 }, (_, racer) =>
        store.put('key', bytes(rest[0] + racer), { ifNoneMatch: '*' }).then(() => 1, (error) => {
          if (error.code !== 'PRECONDITION_FAILED') throw error
          return 0
        }))
      const won = (await Promise.all(puts)).reduce((sum, each) => sum + each, 0)
      await Promise.all(Array.from({ length: 50 }, (_, racer) => store.put(rest[0] + racer, bytes('the same'))))
      say(won)`
    const scripts = ['one', 'two'].map((name) => runScript(code, directory, name))
    const won = await Promise.all(scripts.map((script) => script.next()))
    expect(won.map(Number).reduce((sum, each) => sum + each, 0)).toBe(1)
    const store = createFsStore(directory)
    expect((await store.list({ limit: 1000 })).items).toHaveLength(101)
    const shared = await readdir(join(directory, 'digests'), { recursive: true })
    expect(shared.filter((name) => name.length > 10)).toHaveLength(2)
    expect(await store.verify()).toMatchObject({ intact: 101, quarantined: [] })
    expect(await store.sweep()).toMatchObject({ blobs: 0, digests: 0, damaged: 0 })
  })

  it('sweep beside each other and beside uploads, and remove nothing that is needed', async () => {
    const directory = await temporaryDirectory()
    const sweeping = `
      let swept = 0
      const until = Date.now() + 2500
      while (Date.now() < until) { await store.sweep(); swept++ }
      say(swept)`
    const writing = `
      const until = Date.now() + 2500
      let count = 0
      while (Date.now() < until) {
        const key = rest[0] + (count++ % 7)
        await store.put(key, bytes('content ' + (count % 3)))
        const content = await store.get(key)
        const stream = await content.stream()
        for await (const chunk of stream) {}
        if (count % 5 === 0) await store.delete(key)
      }
      say(count)`
    const scripts = [
      runScript(sweeping, directory),
      runScript(sweeping, directory),
      runScript(writing, directory, 'a'),
      runScript(writing, directory, 'b'),
    ]
    for (const script of scripts) expect(await script.next()).toBeGreaterThan(3)
    for (const script of scripts) expect(await script.ended).toBe(0)
    const store = createFsStore(directory)
    expect(await store.verify()).toMatchObject({ quarantined: [] })
    await store.sweep()
    expect(await store.sweep()).toMatchObject({ blobs: 0, digests: 0, discarded: 0 })
  })
})

describe('a lock', () => {
  const dead = (id: string) => `${id.padEnd(22, '0')}:elsewhere/1/1/0`

  it('of a process that is gone is taken over, chain and all, and leaves no link', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory, { ownerTimeout: 0 })
    const lock = join(directory, 'staging', `${recordName('a')}.lock`)
    await writeFile(lock, dead('one'))
    await writeFile(
      join(directory, 'staging', `${'one'.padEnd(22, '0')}.${recordName('a')}.next`),
      dead('two'),
    )
    const puts = Array.from({ length: 10 }, (_, index) => store.put('a', source(`${index}`)))
    await Promise.all(puts)
    expect(await readdir(join(directory, 'staging'))).toEqual([])
  })

  it('of a process that cannot be seen holds until its grace is over', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory, { ownerTimeout: 700 })
    await writeFile(join(directory, 'staging', `${recordName('a')}.lock`), dead('one'))
    const started = performance.now()
    await store.put('b', source('x'))
    expect(performance.now() - started).toBeLessThan(600)
    await store.put('a', source('x'))
    expect(performance.now() - started).toBeGreaterThan(600)
  })

  it('that no process asks for is removed by recover, and so is the successor of one that is gone', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory, { ownerTimeout: 0 })
    await writeFile(join(directory, 'staging', `${recordName('a')}.lock`), dead('one'))
    await writeFile(
      join(directory, 'staging', `${'gone'.padEnd(22, '0')}.${recordName('a')}.next`),
      dead('two'),
    )
    await writeFile(
      join(directory, 'staging', `${'two'.padEnd(22, '0')}.${recordName('a')}.next`),
      dead('three'),
    )
    await store.recover()
    expect(await readdir(join(directory, 'staging'))).toEqual([])
  })

  it('continues, and so does its process, when the file that names its owner is removed', async () => {
    const directory = await temporaryDirectory()
    const script = runScript(
      `const { rmSync } = await import('node:fs')
       const short = createFsStore(directory, { ownerTimeout: 100 })
       const session = await short.createUpload('a')
       rmSync(directory + '/owners', { recursive: true })
       await sleep(1500)
       await session.append(0, bytes('x'))
       say(await short.put('b', bytes('y')).then(() => 'stored', ({ code }) => code))
       process.exit()`,
      directory,
    )
    // Where even its folder is gone, a lock cannot be made, and says why.
    expect(await script.next()).toBe('UNAVAILABLE')
    expect(await script.ended).toBe(0)
  })

  it('is made again when only the file that names its owner was removed', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    await store.put('a', source('x'))
    for (const name of await readdir(join(directory, 'owners'))) await rm(join(directory, 'owners', name))
    expect(await store.put('b', source('y'))).toMatchObject({ size: 1 })
  })

  it('that has no place to be is refused, once', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    await store.put('a', source('x'))
    await rm(join(directory, 'staging'), { recursive: true })
    await expect(store.delete('a')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('of a process that was killed is free at once', async () => {
    const directory = await temporaryDirectory()
    const script = runScript(
      `const session = await store.createUpload('a'); await session.append(0, bytes('x')); say(session.id); await sleep(60_000)`,
      directory,
    )
    await script.next()
    await script.kill('SIGKILL')
    const started = performance.now()
    const store = createFsStore(directory, { ownerTimeout: 1_000_000 })
    expect(await store.sweep()).toMatchObject({ discarded: 1, busy: 0 })
    expect(performance.now() - started).toBeLessThan(5000)
    expect(await readdir(join(directory, 'staging'))).toEqual([])
  })
})

describe('a process that is killed while it puts parts together', () => {
  const SIZES = [700_000, 300_000, 500_000]

  it('leaves parts that another process puts together, whichever step it had reached', async () => {
    for (let killed = 1; ; killed++) {
      const directory = await temporaryDirectory()
      const store = createFsStore(directory)
      const contents = SIZES.map((size) => randomBytes(size))
      const parts = await Promise.all(contents.map((bytes) => storePart(store, bytes)))
      const script = runScript(
        `import { channel } from 'node:diagnostics_channel'
         const [parts, killed] = rest.map((text) => JSON.parse(text))
         let steps = 0
         channel('upload-store:step').subscribe(() => {
           // In the middle of the step, when some of its calls have been made.
           if (++steps === killed) setTimeout(() => process.kill(process.pid, 'SIGKILL'), killed % 3)
         })
         const session = await store.concatenateUploads(parts, 'whole', { metadata: { whole: true } })
         await session.commit()
         for (const { id } of parts.slice(1)) await store.leaveReceipt(id, parts[0].id)
         await sleep(20)
         say(steps)`,
        directory,
        JSON.stringify(parts),
        String(killed),
      )
      const steps = await script.next().catch(() => null)
      const session = await store.concatenateUploads(parts, 'whole', { metadata: { whole: true } })
      // It is null if the process has committed the upload.
      if (session !== null) await session.commit()
      expect((await store.get('whole'))?.digest).toBe(sha256(Buffer.concat(contents)))
      await expectReceipts(store, parts)
      await store.close()
      const left = await readdir(join(directory, 'staging'))
      expect(left.filter((name) => name.endsWith('.part'))).toEqual([])
      if (typeof steps === 'number' && steps < killed) return
    }
  })
})
