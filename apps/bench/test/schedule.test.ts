import { describe, expect, it } from 'vitest'
import { NGINX, PLAIN, SIRV } from '../src/ranges/contenders.ts'
import { MIDDLE, SMALL } from '../src/ranges/kinds.ts'
import { schedule } from '../src/ranges/schedule.ts'

const contenders = [NGINX, PLAIN, SIRV]

function names(groups: ReturnType<typeof schedule>): readonly string[] {
  return groups.map(({ round, kind, contenders: all }) =>
    [round, kind.name, ...all.map(({ name }) => name.slice(0, 4))].join(' '),
  )
}

describe('schedule', () => {
  it('visits everyone once per round and kind, the first of a round being another each time', () => {
    expect(names(schedule(contenders, [SMALL, MIDDLE], () => 2))).toEqual([
      '0 4 KiB ngin file sirv',
      '0 64 KiB ngin file sirv',
      '1 4 KiB file sirv ngin',
      '1 64 KiB file sirv ngin',
    ])
  })

  it('leaves out servers that have fewer rounds, and empty groups', () => {
    const groups = schedule(contenders, [SMALL, MIDDLE], (contender, kind) => {
      if (kind === SMALL) return contender === PLAIN ? 2 : 1
      return contender === SIRV ? 0 : 1
    })
    expect(names(groups)).toEqual(['0 4 KiB ngin file sirv', '0 64 KiB ngin file', '1 4 KiB file'])
  })

  it('is empty for no kinds', () => {
    expect(schedule(contenders, [], () => 3)).toEqual([])
  })
})
