import { createMemoryStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { describeContract, source } from './contract.ts'
import { describeInspection } from './contract-inspect.ts'
import { describeResumption } from './contract-resume.ts'

describeContract('memory store', async (options) => createMemoryStore(options))
describeResumption('memory store', async (options) => createMemoryStore(options))
describeInspection('memory store', async (options) => createMemoryStore(options))

describe('an upload with meta in memory', () => {
  it('tells whoever looks what it became, and that it is nothing yet', async () => {
    const store = createMemoryStore()
    const session = await store.create('a', { meta: {} })
    await session.append(0, source('x'))
    expect(await store.peek(session.id)).toMatchObject({ committed: null })
    await session.pause()
    expect(await store.peek(session.id)).toMatchObject({ committed: null })
    const object = await (await store.resume(session.id))?.commit()
    expect(await store.peek(session.id)).toMatchObject({ committed: object })
  })
})
