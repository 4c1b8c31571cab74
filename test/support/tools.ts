import { describe } from 'vitest'
import { missing, type Program } from './programs.ts'

/**
 * `describe` for tests that need programs of Debian's. Where one is missing they are skipped and say so in words; under
 * CI, which installs them, that is a failure.
 */
export function describeWith(programs: readonly Program[], name: string, tests: () => void): void {
  const packages = missing(programs)
  if (packages === null) {
    describe(name, tests)
    return
  }
  console.warn(`Skipped "${name}": it needs Debian's ${packages} (apt-get install ${packages}).`)
  describe.skip(`${name} (needs ${packages})`, tests)
}
