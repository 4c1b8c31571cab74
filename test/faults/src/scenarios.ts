import type { UploadSession } from 'upload-store'
import type { Content } from './content.ts'
import { chunksOf } from './content.ts'
import type { Stage } from './stage.ts'

export interface Scenario {
  readonly name: string
  /** What earlier processes ran in this directory, each to its end or to the call that it was killed at. */
  readonly after?: readonly { readonly scenario: string; readonly killedAt?: number }[]
  /** Makes ready and returns what to try: every file-system call of that is a point. */
  readonly prepare: (stage: Stage) => Promise<() => Promise<unknown>>
  /** The bytes of blobs that `prepare` made are not on the disk yet, for all their names are. */
  readonly unsynced?: boolean
  /** Errors that its calls are made to fail with; then the same is tried again in the same process. */
  readonly fails?: readonly string[]
}

const WRITING = ['EIO', 'ENOSPC', 'EMFILE']
const REMOVING = ['EIO', 'EMFILE']

const content = (seed: string, size = 10_000): Content => ({ seed, size })

// Each scenario has keys and contents of its own, so that several can leave their litter in one directory.
const PUTS: readonly Scenario[] = [
  {
    name: 'first-put',
    prepare: async (stage) => () => stage.put('first', content('first')),
  },
  {
    name: 'put',
    fails: WRITING,
    prepare: async (stage) => {
      await stage.put('neighbour', content('neighbour'))
      return () => stage.put('put', content('put'))
    },
  },
  {
    name: 'put-empty',
    prepare: async (stage) => {
      stage.open()
      return () => stage.put('empty', content('empty', 0))
    },
  },
  {
    name: 'replace',
    fails: WRITING,
    prepare: async (stage) => {
      await stage.put('replace', content('replaced'))
      return () => stage.put('replace', content('replacing', 7000))
    },
  },
  {
    name: 'replace-with-same',
    prepare: async (stage) => {
      await stage.put('same', content('same'))
      return () => stage.put('same', content('same'))
    },
  },
  {
    name: 'dedupe',
    fails: WRITING,
    prepare: async (stage) => {
      await stage.put('dedupe 1', content('dedupe'))
      return () => stage.put('dedupe 2', content('dedupe'))
    },
  },
  {
    name: 'dedupe-unsynced',
    unsynced: true,
    prepare: async (stage) => {
      await stage.putUnsynced('shared 1', content('shared'))
      return () => stage.put('shared 2', content('shared'))
    },
  },
  {
    name: 'put-if-none-match',
    prepare: async (stage) => {
      stage.open()
      return () => stage.put('only new', content('only new'), { ifNoneMatch: '*' })
    },
  },
  {
    name: 'put-if-match',
    prepare: async (stage) => {
      const { etag } = await stage.put('match', content('matched', 3000))
      return () => stage.put('match', content('matching', 5000), { ifMatch: etag })
    },
  },
]

const DELETES: readonly Scenario[] = [
  {
    name: 'delete',
    fails: REMOVING,
    prepare: async (stage) => {
      await stage.put('delete', content('delete'))
      return () => stage.delete('delete')
    },
  },
  {
    name: 'delete-deduped',
    fails: REMOVING,
    prepare: async (stage) => {
      await stage.put('delete 1', content('delete both'))
      await stage.put('delete 2', content('delete both'))
      return () => stage.delete('delete 1')
    },
  },
  {
    name: 'delete-and-put',
    prepare: async (stage) => {
      await stage.put('back', content('gone'))
      return async () => {
        await stage.delete('back')
        await stage.put('back', content('back', 3000))
      }
    },
  },
]

const paused = content('paused', 12_000)

// Paused at 5000 of 12,000 bytes by one process; killed over it by another while it wrote more, or when its bytes already
// had the name of a blob.
const PAUSED = [{ scenario: 'pause' }]
const CRASHED = [...PAUSED, { scenario: 'resume-pause', killedAt: 15 }]
const LINKED = [...PAUSED, { scenario: 'resume-commit', killedAt: 42 }]

const TO_COMMIT = {
  'resume-commit': PAUSED,
  'resume-crashed-commit': CRASHED,
  'resume-linked-commit': LINKED,
}

const SESSIONS: readonly Scenario[] = [
  {
    name: 'pause',
    fails: WRITING,
    prepare: async (stage) => {
      stage.open()
      return async () => {
        const session = await stage.create('paused', paused)
        await session.append(0, chunksOf(paused, 0, 5000))
        await stage.pause(session, paused)
      }
    },
  },
  {
    name: 'resume-pause',
    fails: WRITING,
    after: PAUSED,
    prepare: async (stage) => {
      stage.open()
      return async () => {
        const { session } = await stage.resume()
        await session.append(session.offset, chunksOf(paused, session.offset, 9000))
        await stage.pause(session, paused)
      }
    },
  },
  ...Object.entries(TO_COMMIT).map(
    ([name, after]): Scenario => ({
      name,
      fails: WRITING,
      after,
      prepare: async (stage) => {
        stage.open()
        return async () => {
          const { session } = await stage.resume()
          await session.append(session.offset, chunksOf(paused, session.offset))
          await stage.commit(session, paused)
        }
      },
    }),
  ),
  {
    name: 'resume-abort',
    fails: REMOVING,
    after: PAUSED,
    prepare: async (stage) => {
      stage.open()
      let session: UploadSession | undefined
      return async () => {
        session ??= (await stage.resume()).session
        await stage.abort(session)
      }
    },
  },
  {
    name: 'expire',
    fails: REMOVING,
    after: PAUSED,
    prepare: async (stage) => () => stage.expire(),
  },
  {
    name: 'seal-abort',
    fails: REMOVING,
    prepare: async (stage) => {
      stage.open()
      return async () => {
        const session = await stage.create('sealed', content('sealed'))
        await session.append(0, chunksOf(content('sealed')))
        await session.seal()
        await stage.abort(session)
      }
    },
  },
  {
    name: 'commit-again',
    fails: WRITING,
    prepare: async (stage) => {
      const session = await stage.create('commit', content('commit'))
      await session.append(0, chunksOf(content('commit')))
      await session.seal()
      return () => stage.commit(session, content('commit'))
    },
  },
]

// Crashes early, in the middle, around the commit point and after it; of the same key twice, as its lock outlives both.
const LITTER = (
  [
    ['first-put', 20],
    ['put', 16],
    ['put', 31],
    ['replace', 31],
    ['delete', 4],
    ['pause', 8],
    ['pause', 99],
    ['commit-again', 25],
  ] as const
).map(([scenario, killedAt]) => ({ scenario, killedAt }))

const RESTARTS: readonly Scenario[] = [
  {
    name: 'recover',
    after: LITTER,
    prepare: async (stage) => () => stage.store.recover(),
  },
  {
    name: 'sweep',
    fails: ['EIO'],
    after: LITTER,
    prepare: async (stage) => () => stage.store.sweep(),
  },
  {
    name: 'verify',
    // Bytes that cannot be read, EIO, are damaged.
    fails: ['EMFILE'],
    prepare: async (stage) => {
      await stage.put('whole', content('whole'))
      await stage.put('damaged', content('damaged'))
      await stage.put('shared', content('shared'))
      await stage.put('shared too', content('shared'))
      stage.damage(['damaged'], content('damaged'))
      stage.damage(['shared', 'shared too'], content('shared'))
      return () => stage.store.verify()
    },
  },
]

export const SCENARIOS: readonly Scenario[] = [...PUTS, ...DELETES, ...SESSIONS, ...RESTARTS]

/** Not one of all: it loses uploads to power cuts, as the store is told to put up with. */
export const UNSYNCED: Scenario = {
  name: 'put-unsynced',
  prepare: async (stage) => {
    stage.open({ durability: 'none' })
    return () => stage.put('forgotten', content('forgotten'))
  },
}

/** @throws RangeError where there is no such scenario */
export function scenarioOf(name: string): Scenario {
  const scenario = [...SCENARIOS, UNSYNCED].find((one) => one.name === name)
  if (scenario === undefined) throw new RangeError(`There is no scenario ${name}`)
  return scenario
}
