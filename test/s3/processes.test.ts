import { createHash, randomUUID } from 'node:crypto'
import type { UploadSession } from 'upload-store'
import { describe, expect, it, type TestContext } from 'vitest'
import { runS3Script } from '../support/node-script.ts'
import { describeWith } from '../support/tools.ts'
import { bytesOf, source } from '../upload-store/contract.ts'
import { CEPH, Ceph } from './ceph.ts'
import { LossyLine } from './lossy-line.ts'
import { Objects } from './objects.ts'

const MEBIBYTE = 1024 ** 2
const PART = 5 * MEBIBYTE
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** `length` bytes from `start` on of the same endless content, in both of a test's processes. */
function content(start: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let i = 0; i < length; i++) bytes[i] = ((start + i) * 31 + ((start + i) >> 8)) % 251
  return bytes
}
const CONTENT = `
  ${content}
  // Comes, and then stalls, for as long as the process lives.
  const stalling = (start, length) => {
    setInterval(() => {}, 1000)
    const stream = new Readable({ read() {} })
    stream.push(content(start, length))
    return stream
  }
`

describeWith(CEPH, 'S3 store on Ceph: several processes', () => {
  const ceph = new Ceph()
  const shared = () => ({ ...ceph.connection, prefix: `${randomUUID()}/`, partSize: PART })
  const run = (code: string, options: object, ...rest: string[]) =>
    runS3Script(CONTENT + code, options, ...rest)
  const digestOf = async (store: ReturnType<typeof ceph.open>, key: string) =>
    sha256(await bytesOf((await (await store.get(key))?.stream()) ?? source()))
  const whole = content(0, 3 * PART + 1000)

  /** A process that writes an upload, says its id and then each durable offset, and stalls. */
  const writer = async (options: object, length: number) => {
    const script = run(
      `const session = await store.createUpload('a', { metadata: { from: 'writer' } })
       say(session.id)
       const told = (offset) => say(offset)
       await session.append(0, stalling(0, Number(rest[0])), { onDurable: told }).catch((error) => say(error.code))
       await session.pause().then(say, (error) => say(error.code))`,
      options,
      `${length}`,
    )
    return { script, id: String(await script.next()) }
  }

  it('resume the upload of a killed process from its durable offset, and send nothing twice', async () => {
    const options = shared()
    const { script, id } = await writer(options, 2 * PART + 1000)
    for (let durable: unknown = 0; durable !== 2 * PART; ) durable = await script.next()
    await script.kill('SIGKILL')
    const store = ceph.open(options)
    expect(await store.getUpload(id)).toMatchObject({ key: 'a', metadata: { from: 'writer' } })
    expect(await store.interruptUpload(id)).toMatchObject({ offset: 2 * PART, committed: null })
    const resumed = await store.resumeUpload(id)
    await resumed?.append(2 * PART, source(whole.subarray(2 * PART)))
    expect(await resumed?.commit()).toMatchObject({ size: whole.length, digest: sha256(whole) })
    expect(await digestOf(store, 'a')).toBe(sha256(whole))
    expect(await store.interruptUpload(id)).toMatchObject({ offset: whole.length, committed: { key: 'a' } })
  })

  it('take an upload from one that only stalls, which finds out within seconds', async () => {
    const options = shared()
    const { script, id } = await writer(options, PART + 1000)
    expect(await script.next()).toBe(PART)
    const store = ceph.open(options)
    const resumed = await store.resumeUpload(id)
    expect(resumed).toMatchObject({ offset: PART })
    const began = Date.now()
    expect(await script.next()).toBe('ABORTED')
    expect(Date.now() - began).toBeLessThan(15_000)
    // Neither can its pause move the offset.
    expect(await script.next()).toBe('ABORTED')
    await resumed?.append(PART, source(whole.subarray(PART)))
    expect(await resumed?.commit()).toMatchObject({ digest: sha256(whole) })
  })

  it('are not overruled by a process that was frozen, whatever it does afterwards', async () => {
    const options = shared()
    const frozen = run(
      `const session = await store.createUpload('a', { metadata: {} })
       await session.append(0, bytes(content(0, ${PART + 1000})))
       say(session.id)
       while ((await store.get('go')) === null) await sleep(20)
       for (const step of [
         () => session.append(${PART + 1000}, bytes('stale')),
         () => session.commit(),
         () => session.pause(),
         () => session.abort(),
       ]) await step().then(() => say('done'), (error) => say(error.code))`,
      options,
    )
    const id = String(await frozen.next())
    // Its first part is durable.
    const manifest = () => new Objects(ceph.connection, options.prefix).read(`staging/${id}.json`)
    await expect.poll(manifest).toContain('"number":1')
    frozen.child.kill('SIGSTOP')
    const store = ceph.open(options)
    const resumed = await store.resumeUpload(id)
    expect(resumed?.offset).toBe(PART)
    await resumed?.append(PART, source(whole.subarray(PART, PART + 500)))
    expect(await resumed?.pause()).toBe(PART + 500)
    await store.put('go', source('x'))
    frozen.child.kill('SIGCONT')
    const answers = [await frozen.next(), await frozen.next(), await frozen.next(), await frozen.next()]
    // Its bytes may still be taken in; nothing comes of them.
    expect(answers.slice(1)).toEqual(['ABORTED', 'ABORTED', 'done'])
    expect(await store.get('a')).toBeNull()
    expect(await store.interruptUpload(id)).toMatchObject({ offset: PART + 500 })
    const again = await store.resumeUpload(id)
    await again?.append(PART + 500, source(whole.subarray(PART + 500)))
    expect(await again?.commit()).toMatchObject({ digest: sha256(whole) })
    expect(await digestOf(store, 'a')).toBe(sha256(whole))
  })

  it('race for an upload: one of them writes it, and it is whole', async () => {
    const options = shared()
    const store = ceph.open(options)
    const session = await store.createUpload('a', { metadata: {} })
    await session.append(0, source(whole.subarray(0, PART + 7)))
    await session.pause()
    const code = `
      const session = await store.resumeUpload(rest[0])
      await session.append(session.offset, bytes(content(session.offset, ${whole.length} - session.offset)))
      await session.commit()
      say('committed')`
    const racers = Array.from({ length: 2 }, () =>
      run(`try {${code}} catch (error) { say(error.code ?? error.message) }`, options, session.id),
    )
    const answers = await Promise.all(racers.map((racer) => racer.next()))
    expect(answers.filter((answer) => answer === 'committed').length).toBeGreaterThan(0)
    expect(await store.interruptUpload(session.id)).toMatchObject({ committed: { digest: sha256(whole) } })
    expect(await digestOf(store, 'a')).toBe(sha256(whole))
  })

  it('find an upload resumable when its writer was killed in its commit', async () => {
    const options = shared()
    const all = whole.subarray(0, 2 * PART + 10)
    const script = run(
      `import { subscribe } from 'node:diagnostics_channel'
       const session = await store.createUpload('a', { metadata: {} })
       await session.append(0, bytes(content(0, ${all.length})))
       say(session.id)
       let left = 4
       subscribe('http.client.response.finish', () => { if (--left === 0) process.kill(process.pid, 'SIGKILL') })
       await session.commit()`,
      options,
    )
    const id = String(await script.next())
    expect(await script.ended).toBeNull()
    const store = ceph.open(options)
    const resumed = await store.resumeUpload(id)
    const offset = resumed?.offset ?? 0
    await resumed?.append(offset, source(all.subarray(offset)))
    expect(await resumed?.commit()).toMatchObject({ digest: sha256(all) })
    expect(await digestOf(store, 'a')).toBe(sha256(all))
  })

  // Five at once, because most of their time is waiting. Each of them takes longer then.
  describe.concurrent('find an upload whole or resumable whose writer was cut off from S3', {
    timeout: 180_000,
  }, () => {
    /** A writer behind a line, and another process. */
    async function open({ onTestFinished }: TestContext) {
      const options = shared()
      const line = await LossyLine.to(ceph.connection.endpoint)
      onTestFinished(() => line.close())
      const writer = ceph.open({ ...options, endpoint: line.url })
      return {
        line,
        writer,
        store: ceph.open(options),
        objects: new Objects(ceph.connection, options.prefix),
      }
    }

    /** Resolves when the manifest names `count` parts, so that no request is on its way. */
    async function untilDurable(
      { expect }: TestContext,
      objects: Objects,
      { id }: UploadSession,
      count: number,
    ): Promise<void> {
      const manifest = () => objects.read(`staging/${id}.json`)
      await expect.poll(manifest, { interval: 10, timeout: 25_000 }).toContain(`"number":${count}`)
    }

    it.for([0, 1, 2, 3, 4, 5, 6, 7])('after %i calls of its commit', async (count, context) => {
      const { expect } = context
      const { line, writer, store, objects } = await open(context)
      const all = whole.subarray(0, 2 * PART + 10)
      const session = await writer.createUpload('a', { metadata: {} })
      await session.append(0, source(all))
      await untilDurable(context, objects, session, 2)
      line.cutAfter(count)
      await session.commit().catch(() => {})
      const state = await store.interruptUpload(session.id)
      // The sixth call writes the record.
      expect(state?.committed !== null).toBe(count >= 6)
      if (state?.committed === null) {
        expect(await store.get('a')).toBeNull()
        const resumed = await store.resumeUpload(session.id)
        expect(resumed?.offset).toBe(state.offset)
        // More than there was when the commit began.
        await resumed?.append(state.offset, source(whole.subarray(state.offset)))
        await resumed?.commit()
        expect(await digestOf(store, 'a')).toBe(sha256(whole))
      } else {
        expect(state?.committed).toMatchObject({ digest: sha256(all) })
        expect(await digestOf(store, 'a')).toBe(sha256(all))
      }
      expect((await objects.names()).filter((name) => name.startsWith('blobs/'))).toHaveLength(1)
    })

    it.for([0, 1, 2, 3, 4, 5])('after %i calls of a commit of a paused upload', async (count, context) => {
      const { expect } = context
      const { line, writer, store } = await open(context)
      const { id } = await writer.createUpload('a', { metadata: {} })
      const first = await writer.resumeUpload(id)
      await first?.append(0, source('hello '))
      await first?.pause()
      const session = await writer.resumeUpload(id)
      await session?.append(6, source('world'))
      line.cutAfter(count)
      await session?.commit().catch(() => {})
      const resumed = await store.resumeUpload(id)
      await resumed?.append(resumed.offset, source('hello world'.slice(resumed.offset)))
      await resumed?.commit()
      expect(await digestOf(store, 'a')).toBe(sha256(Buffer.from('hello world')))
    })

    it.for([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])(
      "after %i calls of a commit that takes another writer's parts out",
      async (count, context) => {
        const { expect } = context
        const { line, writer, store, objects } = await open(context)
        const all = whole.subarray(0, PART + 10)
        const { id } = await writer.createUpload('a', { metadata: {} })
        const verify = () => {
          throw new Error('not these')
        }
        const wrong = await writer.resumeUpload(id)
        await wrong?.append(0, source(Buffer.alloc(3 * PART)), { verify }).catch(() => {})
        await wrong?.pause()
        const session = await writer.resumeUpload(id)
        if (session === null) throw new Error('The upload is lost.')
        await session.append(0, source(all))
        await untilDurable(context, objects, session, 1)
        line.cutAfter(count)
        await session.commit().catch(() => {})
        const resumed = await store.resumeUpload(id)
        if (resumed !== null) {
          expect([PART, all.length]).toContain(resumed.offset)
          await resumed.append(resumed.offset, source(all.subarray(resumed.offset)))
          expect(await resumed.commit()).toMatchObject({ digest: sha256(all) })
        }
        expect(await digestOf(store, 'a')).toBe(sha256(all))
      },
    )
  })

  it('let exactly one create a key, and see what another has replaced', async () => {
    const options = shared()
    const code = `
      let won = 0
      for (let i = 0; i < 30; i++) {
        await store.put('key-' + i, bytes(rest[0] + i), { ifNoneMatch: '*' }).then(() => won++, (error) => {
          if (error.code !== 'PRECONDITION_FAILED') throw error
        })
      }
      say(won)`
    const [first, second] = [run(code, options, 'first'), run(code, options, 'second')]
    expect(Number(await first.next()) + Number(await second.next())).toBe(30)
  })

  it('hold no more than the memory for parts, however many upload at once', async () => {
    const options = { ...shared(), partMemory: 40 * MEBIBYTE }
    const script = run(
      `import { readFileSync } from 'node:fs'
       const peak = () => Number(/VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024
       const chunk = content(0, 64 * 1024)
       const upload = async function* (length) { for (let at = 0; at < length; at += chunk.length) yield chunk }
       await store.put('warm', upload(1024 * 1024))
       const before = peak()
       await Promise.all(Array.from({ length: 50 }, (_, i) => store.put('key-' + i, upload(11 * 1024 * 1024))))
       say([before, peak()])`,
      options,
    )
    const [before = 0, after = 0] = (await script.next()) as number[]
    console.log(
      `50 uploads of 11 MiB at once: ${Math.round(before)} MiB before, at the peak ${Math.round(after)} MiB`,
    )
    // The parts, a block or two of each upload, and the SDK's own.
    expect(after - before).toBeLessThan(40 + 50 * 0.75 + 60)
    const store = ceph.open(options)
    expect(
      (await store.list({ limit: 100 })).items.filter(({ size }) => size === 11 * MEBIBYTE),
    ).toHaveLength(50)
  })

  it('do not starve where slow clients hold all the memory', async () => {
    const store = ceph.open({ ...shared(), partMemory: 2 * PART })
    const slow = await Promise.all(
      [0, 1].map(async (index) => {
        const session = await store.createUpload(`slow-${index}`)
        await session.append(0, source(whole.subarray(0, 2 * MEBIBYTE)))
        return session
      }),
    )
    expect(await store.put('fast', source(whole))).toMatchObject({ digest: sha256(whole) })
    for (const session of slow) {
      await session.append(2 * MEBIBYTE, source(whole.subarray(2 * MEBIBYTE)))
      expect(await session.commit()).toMatchObject({ digest: sha256(whole) })
    }
  })
})
