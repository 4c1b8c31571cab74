import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe } from 'vitest'

/** The Debian package of each program that tests use beside Node. */
const PACKAGES = {
  aria2c: 'aria2',
  'ceph-mon': 'ceph-mon',
  'ceph-osd': 'ceph-osd',
  chromium: 'chromium',
  curl: 'curl',
  cvlc: 'vlc-bin vlc-plugin-base',
  ffmpeg: 'ffmpeg',
  ffprobe: 'ffmpeg',
  mpv: 'mpv',
  radosgw: 'radosgw',
  wget: 'wget',
} as const

type Program = keyof typeof PACKAGES

function isInstalled(program: Program): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/**
 * `describe` for tests that need programs of Debian's. Where one is missing they are skipped and say so in words; under
 * CI, which installs them, that is a failure.
 */
export function describeWith(programs: readonly Program[], name: string, tests: () => void): void {
  const missing = programs.filter((program) => !isInstalled(program))
  if (missing.length === 0) {
    describe(name, tests)
    return
  }
  const packages = missing.map((program) => PACKAGES[program]).join(' ')
  if (process.env['CI'] === 'true')
    throw new Error(`These tests need Debian's ${packages}, which CI has to install.`)
  console.warn(`Skipped "${name}": it needs Debian's ${packages} (apt-get install ${packages}).`)
  describe.skip(`${name} (needs ${packages})`, tests)
}
