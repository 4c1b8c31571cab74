import type { UploadSession } from 'upload-store'
import { chunksOf } from './content.ts'
import { content, REMOVING, type Scenario, WRITING } from './scenario.ts'

const paused = content('paused', 12_000)

// Paused at 5000 of 12,000 bytes by one process; killed over it by another while it wrote more, or when its bytes already
// had the name of a blob.
const PAUSED = [{ scenario: 'pause' }]
const CRASHED = [...PAUSED, { scenario: 'resume-pause', killedAt: 25 }]
const LINKED = [...PAUSED, { scenario: 'resume-commit', killedAt: 49 }]

const TO_COMMIT = {
  'resume-commit': PAUSED,
  'resume-crashed-commit': CRASHED,
  'resume-linked-commit': LINKED,
}

const known = content('known', 12_000)
/** More than becomes durable at once while it comes. */
const long = content('long', 9 * 1024 ** 2)

/** Uploads with metadata: there from the first byte, and a receipt when they are committed. */
const KNOWN: readonly Scenario[] = [
  {
    name: 'known-append',
    fails: WRITING,
    prepare: async (stage) => {
      stage.open()
      return async () => {
        const session = await stage.create('known', known, { length: 12_000 })
        await session.append(0, chunksOf(known, 0, 5000))
        await session.setMetadata({ length: 12_000, name: 'known' })
        await stage.pause(session, known)
      }
    },
  },
  {
    name: 'known-commit',
    fails: WRITING,
    prepare: async (stage) => {
      stage.open()
      let tries = 0
      return async () => {
        const session = await stage.create(`known ${++tries}`, known, { try: tries })
        await session.append(0, chunksOf(known))
        await stage.commit(session, known)
      }
    },
  },
  {
    name: 'known-append-twice',
    fails: WRITING,
    after: [{ scenario: 'known-append' }],
    prepare: async (stage) => {
      stage.open()
      return async () => {
        // The second one continues with the files that the first one has left open.
        for (let tries = 0; tries < 2; tries++) {
          const session = await stage.resume()
          await session.append(session.offset, chunksOf(known, session.offset, session.offset + 1500))
          await stage.pause(session, known)
        }
      }
    },
  },
  {
    name: 'known-resume-commit',
    fails: WRITING,
    after: [{ scenario: 'known-append' }],
    prepare: async (stage) => {
      stage.open()
      return async () => {
        // A try that failed after the commit point is known to have been seen.
        if (await stage.isCommitted()) return
        const session = await stage.resume()
        await session.append(session.offset, chunksOf(known, session.offset))
        await stage.commit(session, known)
      }
    },
  },
  {
    name: 'known-long',
    fails: WRITING,
    prepare: async (stage) => {
      stage.open()
      return async () => {
        const session = await stage.create('long', long, {})
        await session.append(0, chunksOf(long, 0, long.size - 100_000))
        await stage.pause(session, long)
      }
    },
  },
  {
    name: 'known-long-refused',
    fails: WRITING,
    prepare: async (stage) => {
      stage.open()
      return async () => {
        const session = await stage.create('long', long, {})
        await session.append(0, chunksOf(long, 0, 5000))
        const verify = () => Promise.reject(new Error('refused'))
        await session.append(5000, chunksOf(long, 5000), { verify }).catch(refusedOnly)
        await stage.pause(session, long)
      }
    },
  },
  {
    name: 'known-delete',
    fails: REMOVING,
    after: [{ scenario: 'known-append' }],
    prepare: async (stage) => {
      stage.open()
      return () => stage.deleteUpload()
    },
  },
  {
    name: 'known-refused',
    fails: WRITING,
    after: [{ scenario: 'known-append' }],
    prepare: async (stage) => {
      stage.open()
      return async () => {
        const session = await stage.resume()
        const verify = () => Promise.reject(new Error('refused'))
        const right = chunksOf(known, session.offset)
        await session.append(session.offset, right, { verify }).catch(refusedOnly)
        await stage.pause(session, known)
      }
    },
  },
  {
    name: 'known-interrupt',
    fails: WRITING,
    after: [{ scenario: 'known-append' }, { scenario: 'known-resume-commit', killedAt: 42 }],
    prepare: async (stage) => {
      stage.open()
      return () => stage.interrupt()
    },
  },
]

function refusedOnly(error: unknown): void {
  if (!(error instanceof Error && error.message === 'refused')) throw error
}

export const SESSIONS: readonly Scenario[] = [
  ...KNOWN,
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
        const session = await stage.resume()
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
          const session = await stage.resume()
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
        session ??= await stage.resume()
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
