import { PassThrough, Readable } from 'node:stream'
import { createMemoryStore } from 'upload-store'
import { describe, expect, it } from 'vitest'

const CONSUMED = { name: 'TypeError', code: 'ERR_SOURCE_CONSUMED' }

const readable = (...chunks: string[]) => Readable.from(chunks.map((chunk) => Buffer.from(chunk)))
const web = (): ReadableStream<Uint8Array> => new Blob(['abcdef']).stream()

async function* generator() {
  yield Buffer.from('abc')
}

async function readToEnd(source: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of source) {
    // Only the end counts.
  }
}

const READ: Readonly<Record<string, () => Promise<AsyncIterable<Uint8Array>>>> = {
  'was read to its end': async () => {
    const source = readable('abc', 'def')
    await readToEnd(source)
    return source
  },
  'is read by a listener': async () => {
    const source = readable('abc', 'def')
    await new Promise((resolve) => source.once('data', resolve))
    return source
  },
  'was read in part': async () => {
    const source = readable('abc', 'def')
    await new Promise((resolve) => source.once('readable', () => resolve(source.read())))
    return source
  },
  'has a listener that reads it': async () => {
    const source = readable('abc', 'def')
    return source.on('readable', () => source.read())
  },
  'is being read by another iterator': async () => {
    const source = readable('abc', 'def')
    void source[Symbol.asyncIterator]().next()
    return source
  },
  'was read in part, and the bytes put back': async () => {
    const source = readable('abc', 'def')
    await new Promise((resolve) => source.once('readable', resolve))
    source.unshift(source.read())
    return source
  },
  'was piped to another stream': async () => {
    const source = readable('abc', 'def')
    await readToEnd(source.pipe(new PassThrough()))
    return source
  },
  'is a web stream that was read in part': async () => {
    const source = web()
    const reader = source.getReader()
    await reader.read()
    reader.releaseLock()
    return source
  },
  'is a web stream that was cancelled': async () => {
    const source = web()
    await source.cancel()
    return source
  },
  'is a web stream that is locked': async () => {
    const source = web()
    source.getReader()
    return source
  },
  'is the body of a response that was read': async () => {
    const response = new Response('abcdef')
    await response.text()
    return response.body ?? web()
  },
  'is a generator that another upload has read': async () => {
    const source = generator()
    await createMemoryStore().put('before', source)
    return source
  },
  'is a generator whose upload was refused': async () => {
    const source = generator()
    const refused = createMemoryStore({ maxFileSize: 1 }).put('before', source)
    await expect(refused).rejects.toMatchObject({ code: 'TOO_LARGE' })
    return source
  },
}

describe('a source that the store cannot read from its start', () => {
  it.each(Object.entries(READ))(
    'is rejected by put, and nothing is published, when it %s',
    async (_, open) => {
      const store = createMemoryStore()
      await store.put('a', readable('before'))
      await expect(store.put('a', await open())).rejects.toMatchObject(CONSUMED)
      expect(await store.get('a')).toMatchObject({ size: 6 })
      expect((await store.list()).items).toHaveLength(1)
    },
  )

  it.each(Object.entries(READ))(
    'is rejected by append, which changes nothing, when it %s',
    async (_, open) => {
      const session = await createMemoryStore().createUpload('a')
      await session.append(0, readable('abc'))
      await expect(session.append(3, await open())).rejects.toMatchObject(CONSUMED)
      expect(session.offset).toBe(3)
      await session.append(3, readable('def'))
      expect(await session.commit()).toMatchObject({ size: 6 })
    },
  )

  it('is named in the error, with the reason and the remedy', async () => {
    const source = readable('abc')
    await readToEnd(source)
    await expect(createMemoryStore().put('a', source)).rejects.toThrow(
      /was read .* before the store could read it.* above body parsers/,
    )
  })

  it('throws its own error if it has failed', async () => {
    const failed = readable('abc')
    failed.on('error', () => {}).destroy(new Error('disk on fire'))
    await expect(createMemoryStore().put('a', failed)).rejects.toThrow('disk on fire')
    const destroyed = readable('abc').destroy()
    const refusal = { code: 'ERR_STREAM_PREMATURE_CLOSE' }
    await expect(createMemoryStore().put('a', destroyed)).rejects.toMatchObject(refusal)
    const broken = new ReadableStream({
      start: (controller) => controller.error(new Error('connection lost')),
    })
    await expect(createMemoryStore().put('a', broken)).rejects.toThrow('connection lost')
  })
})

describe('a source that has lost nothing is stored when it', () => {
  it.each<[string, () => Promise<AsyncIterable<Uint8Array>>, number]>([
    ['was not read', async () => readable('abc', 'def'), 6],
    ['is a web stream', async () => web(), 6],
    ['is a generator over the rest of a stream that was read in part', async () => rest(), 3],
    ['is paused and has bytes in its buffer', async () => buffered(), 3],
    ['is an empty stream that was read to its end', async () => emptied(), 0],
    ['is an iterable that can be iterated twice', async () => twice(), 3],
  ])('%s', async (_, open, size) => {
    const store = createMemoryStore()
    const source = await open()
    expect(await store.put('a', source)).toMatchObject({ size })
  })
})

async function rest(): Promise<AsyncIterable<Uint8Array>> {
  const source = readable('abc', 'def')
  await new Promise((resolve) => source.once('readable', () => resolve(source.read())))
  return (async function* () {
    yield* source
  })()
}

async function buffered(): Promise<Readable> {
  const source = new PassThrough()
  source.end('abc')
  await new Promise((resolve) => source.once('readable', resolve))
  return source
}

async function emptied(): Promise<Readable> {
  const source = readable()
  await readToEnd(source)
  return source
}

async function twice(): Promise<AsyncIterable<Uint8Array>> {
  const source = { [Symbol.asyncIterator]: generator }
  await createMemoryStore().put('before', source)
  return source
}
