import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The Debian package of each program that tests use beside Node. */
const PACKAGES = {
  aria2c: 'aria2',
  'ceph-mon': 'ceph-mon',
  'ceph-osd': 'ceph-osd',
  chromium: 'chromium',
  curl: 'curl',
  caddy: 'caddy',
  cvlc: 'vlc-bin vlc-plugin-base',
  ffmpeg: 'ffmpeg',
  ffprobe: 'ffmpeg',
  mpv: 'mpv',
  nginx: 'nginx-light',
  openssl: 'openssl',
  radosgw: 'radosgw',
  rsync: 'rsync',
  script: 'bsdutils',
  wget: 'wget',
} as const

export type Program = keyof typeof PACKAGES

export const PROGRAMS = Object.keys(PACKAGES) as readonly Program[]

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

/** What is needed to get those of `programs` that are not here, in words; `null` where all are. */
export function missing(programs: readonly Program[]): string | null {
  const needed = programs.filter((program) => !isInstalled(program)).map((program) => PACKAGES[program])
  const packages = [...new Set(needed)]
  if (packages.length > 0 && process.env['CI'] === 'true')
    throw new Error(`These tests need Debian's ${packages.join(' ')}, which CI has to install.`)
  return packages.length === 0 ? null : packages.join(' ')
}
