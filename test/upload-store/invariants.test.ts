import { createHash } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { createFsStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { killEverywhere } from '../faults/src/runner.ts'
import { scenarioOf } from '../faults/src/scenarios.ts'
import { useCoarseTimes } from '../support/coarse-times.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { source } from './contract.ts'

const describeOnLinux = describe.skipIf(process.platform !== 'linux')

// Each runs undisturbed in a process of its own, whose state on the disk test/faults/src/invariant-watcher.ts checks after
// each call of the file system.
const SCENARIOS = [
  'replace',
  'dedupe-damaged',
  'known-commit',
  'known-delete',
  'commit-again',
  'sweep',
  'verify',
]

describeOnLinux('the store on disk, after each of its calls', () => {
  it.each(SCENARIOS)(
    'has unchanged blobs, and no upload without a part whose commit has not happened (%s)',
    async (name) => {
      const { calls, failures } = await killEverywhere(scenarioOf(name), () => false)
      expect(failures).toEqual([])
      expect(calls).toBeGreaterThan(10)
    },
  )
})

/** Two keys whose records are in one directory. */
function keysOfOneShard(): readonly [string, string] {
  const shardOf = (key: string) => createHash('sha256').update(key).digest('hex').slice(0, 2)
  for (let at = 0; ; at++) if (shardOf(`${at}.mp4`) === shardOf('a.mp4')) return ['a.mp4', `${at}.mp4`]
}

describeOnLinux('the store on a file system whose times are whole seconds', () => {
  it.each([60, 1000, 1999, 2010])(
    'gives no stale record of a key that was replaced within a tick (%i ms)',
    async (age) => {
      const directory = await temporaryDirectory()
      const store = createFsStore(directory)
      useCoarseTimes(directory, age)
      await store.put('a', source('one'))
      expect((await store.get('a'))?.size).toBe(3)
      await store.put('a', source('two'))
      const content = await store.get('a')
      expect(content && (await text(await content.stream()))).toBe('two')
      await store.close()
    },
  )

  it.each([60, 1000, 1999, 2010])(
    'lists a key that was stored in the tick of the last listing (%i ms)',
    async (age) => {
      const directory = await temporaryDirectory()
      const store = createFsStore(directory)
      useCoarseTimes(directory, age)
      const [first, second] = keysOfOneShard()
      await store.put(first, source('one'))
      expect((await store.list()).items).toHaveLength(1)
      await store.put(second, source('two'))
      expect((await store.list()).items).toHaveLength(2)
      await store.close()
    },
  )
})
