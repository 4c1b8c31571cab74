import type { Reporter, Vitest } from 'vitest/node'
import { missing, PROGRAMS } from './programs.ts'

/** Prints how long the run takes and what it skips, before its first test. */
export default class OpeningLine implements Reporter {
  onInit({ projects }: Vitest): void {
    const names = projects.map(({ name }) => name)
    const isSlow = names.every((name) => name.startsWith('slow'))
    const others = isSlow ? 'the tests of `npm test`' : 'the slow tests (`npm run test:slow`)'
    const left = isSlow || !names.includes('slow') ? [others] : []
    const packages = missing(PROGRAMS)
    if (packages !== null) left.push(`tests that need Debian's ${packages} (apt-get install ${packages})`)
    const minutes = left.length === 0 ? 10 : 5
    const skips = left.length === 0 ? 'It skips nothing.' : `It skips ${left.join(', and ')}.`
    console.log(
      `This run takes about ${minutes} minutes on 2 idle cores, twice as long on busy ones. ${skips}`,
    )
  }
}
