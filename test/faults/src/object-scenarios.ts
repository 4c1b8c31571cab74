import { content, REMOVING, type Scenario, WRITING } from './scenario.ts'

// Each scenario has keys and contents of its own, so that several can leave their litter in one directory.
export const PUTS: readonly Scenario[] = [
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
    name: 'dedupe-damaged',
    prepare: async (stage) => {
      await stage.put('shared 1', content('shared'))
      await stage.put('shared 2', content('shared'))
      stage.damageUnseen(['shared 1', 'shared 2'])
      return async () => {
        await stage.put('shared 3', content('shared'))
        // One upload of the content corrects every key that shares the damaged bytes.
        for (const key of ['shared 1', 'shared 2']) stage.expect(key, content('shared'))
      }
    },
  },
  {
    name: 'replace-damaged',
    fails: WRITING,
    prepare: async (stage) => {
      await stage.put('same', content('same'))
      stage.damageUnseen(['same'])
      return () => stage.put('same', content('same'))
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

export const DELETES: readonly Scenario[] = [
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
