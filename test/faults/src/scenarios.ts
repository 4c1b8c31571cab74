import { DELETES, PUTS } from './object-scenarios.ts'
import { content, type Scenario } from './scenario.ts'
import { SESSIONS } from './session-scenarios.ts'

// Crashes early, in the middle, around the commit point and after it; of the same key twice, as its lock outlives both.
const LITTER = (
  [
    ['first-put', 20],
    ['put', 22],
    ['put', 36],
    ['replace', 36],
    ['delete', 9],
    ['pause', 15],
    ['pause', 99],
    ['commit-again', 27],
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
