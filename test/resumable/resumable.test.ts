import { describe, expect, it } from 'vitest'
import { THEMES } from './cases/index.ts'
import { PROCESSES } from './cases/processes.ts'
import { describeThemes, nameOf } from './describe-themes.ts'

describe('the cases', () => {
  it('have a name each', () => {
    const names = THEMES.flatMap(({ name, cases }) => cases.map((one) => `${name}, ${nameOf(one)}`))
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
  })
})

describeThemes(THEMES.filter((theme) => theme !== PROCESSES))
