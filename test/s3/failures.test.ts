import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { S3Client } from '@aws-sdk/client-s3'
import type { UploadStore } from 'upload-store'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { describeWith } from '../support/tools.ts'
import { bytesOf, source } from '../upload-store/contract.ts'
import { CEPH, OwnCeph } from './ceph.ts'

const MEBIBYTE = 1024 ** 2
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const bytes = randomBytes(24 * MEBIBYTE)

describeWith(CEPH, 'S3 store on Ceph: failures', () => {
  const ceph = new OwnCeph()
  const restart = async () => {
    await ceph.signal('client.rgw.a', 'SIGKILL')
    await ceph.start()
  }

  describe('a gateway that is killed and comes again', () => {
    it('in the middle of a read: every byte arrives, once', async () => {
      const store = ceph.open()
      await store.put('a', source(bytes))
      const stream = (await (await store.get('a'))?.stream()) ?? source()
      const chunks: Uint8Array[] = []
      for await (const chunk of stream) {
        chunks.push(chunk)
        if (chunks.length === 20) await restart()
      }
      expect(chunks.length).toBeGreaterThan(20)
      expect(sha256(Buffer.concat(chunks))).toBe(sha256(bytes))
    })

    it('in the middle of an upload: the upload continues', async () => {
      const store = ceph.open()
      const slowly = async function* () {
        for (let at = 0; at < bytes.length; at += MEBIBYTE) {
          if (at === 10 * MEBIBYTE) await restart()
          yield bytes.subarray(at, at + MEBIBYTE)
        }
      }
      expect(await store.put('a', slowly())).toMatchObject({ digest: sha256(bytes) })
    })
  })

  describe('a frozen gateway', () => {
    const timeout = 1000
    const limits = { timeout, transferTimeout: timeout }

    it('makes every operation fail within its time budget, and is used again when it is thawed', async () => {
      const operations: Record<string, (store: UploadStore) => Promise<unknown>> = {
        get: (store) => store.get('b'),
        list: (store) => store.list(),
        put: (store) => store.put('b', source('x')),
        'put of several parts': (store) => store.put('b', source(bytes.subarray(0, 6 * MEBIBYTE))),
        delete: (store) => store.delete('a'),
        createUpload: (store) => store.createUpload('b', { metadata: {} }),
        interruptUpload: (store) => store.interruptUpload('x'.repeat(22)),
        resumeUpload: (store) => store.resumeUpload('x'.repeat(22)),
        sweep: (store) => store.sweep(),
        verify: (store) => store.verify(),
        stream: async (store) => (await store.get('a'))?.stream(),
      }
      const prefix = `${randomUUID()}/`
      const options = { prefix, recordMaxAge: 60_000, partSize: 5 * MEBIBYTE }
      await ceph.open(options).put('a', source('hello'))
      const stores = Object.values(operations).map((call) => ({
        call,
        store: ceph.open({ ...options, ...limits }),
      }))
      await Promise.all(stores.map(({ store }) => store.get('a')))
      await ceph.signal('client.rgw.a', 'SIGSTOP')
      try {
        const fail = async (index: number) => {
          const { call, store } = stores[index] ?? { call: async () => {}, store: ceph.open() }
          const began = performance.now()
          const name = Object.keys(operations)[index]
          await expect(call(store), name).rejects.toMatchObject({ code: 'UNAVAILABLE' })
          // A part has more time for its bytes.
          expect(performance.now() - began, name).toBeLessThan(timeout + 10_000)
        }
        await Promise.all(stores.map((_, index) => fail(index)))
      } finally {
        await ceph.signal('client.rgw.a', 'SIGCONT')
      }
      await Promise.all(stores.map(({ store }, index) => store.put(`${index}`, source('again'))))
    })

    it('breaks a body that has begun, which continues if the gateway is thawed in time', async () => {
      const store = ceph.open(limits)
      await store.put('a', source(bytes))
      for (const thaw of [true, false]) {
        const stream = (await (await store.get('a'))?.stream()) ?? source()
        const iterator = stream[Symbol.asyncIterator]()
        const first = await iterator.next()
        await ceph.signal('client.rgw.a', 'SIGSTOP')
        const rest = (async () => {
          const chunks = [first.value]
          for await (const chunk of { [Symbol.asyncIterator]: () => iterator }) chunks.push(chunk)
          return sha256(Buffer.concat(chunks))
        })()
        rest.catch(() => {})
        try {
          // After more than half of the time the stream sends its request again.
          if (thaw) await sleep(0.6 * timeout)
          else await expect(rest).rejects.toMatchObject({ code: 'UNAVAILABLE' })
        } finally {
          await ceph.signal('client.rgw.a', 'SIGCONT')
        }
        if (thaw) expect(await rest).toBe(sha256(bytes))
      }
    })

    it('leaves an upload with metadata resumable from what was durable', async () => {
      const store = ceph.open(limits)
      const session = await store.createUpload('a', { metadata: {} })
      let durable = 0
      const stalled = new Readable({ read() {} })
      stalled.push(bytes.subarray(0, 20 * MEBIBYTE))
      const append = session.append(0, stalled, { onDurable: (offset) => (durable = offset) })
      append.catch(() => {})
      await expect.poll(() => durable).toBe(16 * MEBIBYTE)
      await ceph.signal('client.rgw.a', 'SIGSTOP')
      const paused = session.pause()
      await expect(paused).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      await ceph.signal('client.rgw.a', 'SIGCONT')
      const resumed = await store.resumeUpload(session.id)
      // The pause may have been heard all the same.
      expect([16 * MEBIBYTE, 20 * MEBIBYTE]).toContain(resumed?.offset)
      await resumed?.append(resumed.offset, source(bytes.subarray(resumed.offset)))
      expect(await resumed?.commit()).toMatchObject({ digest: sha256(bytes) })
    })
  })

  it('reads for slow readers without taking them for a frozen store', async () => {
    const prefix = `${randomUUID()}/`
    await ceph.open({ prefix }).put('a', source(bytes))
    const store = ceph.open({ prefix, timeout: 600, transferTimeout: 600 })
    const stream = (await (await store.get('a'))?.stream()) ?? source()
    const chunks: Uint8Array[] = []
    for await (const chunk of stream) {
      chunks.push(chunk)
      if (chunks.length % 60 === 5) await sleep(700)
    }
    expect(sha256(Buffer.concat(chunks))).toBe(sha256(bytes))
  })

  it('closes the connection of a reader who goes away', async () => {
    const store = ceph.open()
    await store.put('a', source(bytes))
    for (let reader = 0; reader < 60; reader++) {
      const stream = (await (await store.get('a'))?.stream()) ?? source()
      await stream[Symbol.asyncIterator]().next()
      stream.destroy()
    }
    expect(await bytesOf((await (await store.get('a'))?.stream({ start: 0, end: 4 })) ?? source())).toEqual(
      bytes.subarray(0, 5),
    )
  })

  it.each([
    ['one part', bytes.subarray(0, MEBIBYTE)],
    ['several parts', bytes],
  ])('sends what was garbled on its way again: %s', async (_, content) => {
    const { endpoint, bucket, credentials } = ceph.connection
    const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true })
    let garbled = 0
    client.middlewareStack.add(
      (next) => (args) => {
        const { request } = args as { request: { body?: unknown } }
        if (Buffer.isBuffer(request.body) && garbled < 2) {
          garbled++
          const wrong = Buffer.from(request.body)
          wrong[wrong.length >> 1] = (wrong[wrong.length >> 1] ?? 0) ^ 1
          request.body = wrong
        }
        return next(args)
      },
      // Behind the signature.
      { step: 'finalizeRequest', priority: 'low' },
    )
    const store = ceph.open({ bucket, client })
    await store.put('a', source(content))
    expect(garbled).toBe(2)
    const stream = await (await store.get('a'))?.stream()
    expect(sha256(await bytesOf(stream ?? source()))).toBe(sha256(content))
    client.destroy()
  })

  it('reads again as soon as credentials that could not be had can be had', async () => {
    const { endpoint, bucket, credentials } = ceph.connection
    let areGone = false
    const provider = async () => {
      if (areGone) throw new Error('no credentials')
      return { ...credentials, expiration: new Date() }
    }
    const client = new S3Client({
      endpoint,
      credentials: provider,
      region: 'us-east-1',
      forcePathStyle: true,
    })
    const prefix = `${randomUUID()}/`
    await ceph.open({ prefix }).put('a', source('hello'))
    const store = ceph.open({ bucket, client, prefix, timeout: 1000 })
    const content = await store.get('a')
    areGone = true
    await expect(content?.stream()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      cause: { message: 'no credentials' },
    })
    areGone = false
    expect(String(await bytesOf((await content?.stream()) ?? source()))).toBe('hello')
    client.destroy()
  })

  describe('errors that the operator has to fix are described in words', () => {
    it.each([
      [
        'a wrong secret',
        { credentials: { accessKeyId: 'rangetestaccess', secretAccessKey: 'x' } },
        /secret key/,
      ],
      ['an unknown key', { credentials: { accessKeyId: 'nobody', secretAccessKey: 'x' } }, /access key/],
      ['a missing bucket', { bucket: 'nowhere' }, /"nowhere".*Create the bucket/],
    ])('%s', async (_, options, message) => {
      const store = ceph.open(options)
      await expect(store.put('a', source('x'))).rejects.toThrow(message)
      await expect(store.get('a')).rejects.toThrow(message)
      await expect(store.list()).rejects.toThrow(message)
    })

    it('a clock that is wrong', async () => {
      const { endpoint, bucket, credentials } = ceph.connection
      const client = new S3Client({
        endpoint,
        credentials,
        region: 'us-east-1',
        forcePathStyle: true,
        // Otherwise the SDK corrects it after the first answer.
        disableClockSkewCorrection: true,
      })
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 })
      onTestFinished(() => void vi.useRealTimers())
      await expect(ceph.open({ bucket, client }).get('a')).rejects.toThrow(/clock.*NTP/)
    })
  })
})
