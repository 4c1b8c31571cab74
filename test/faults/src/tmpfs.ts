import { execFileSync } from 'node:child_process'
import { withDirectory } from './ground.ts'

/**
 * Runs `work` on a small file system of its own in memory, unmounted afterwards whatever happens.
 *
 * @param options of mount, as in `size=64m`
 * @returns in words why there is none: only root may mount, and not in every container
 */
export async function withTmpfs<T>(
  options: string,
  work: (directory: string) => Promise<T>,
): Promise<T | { readonly skipped: string }> {
  if (process.platform !== 'linux') return { skipped: 'tmpfs is a file system of Linux' }
  if (process.getuid?.() !== 0) return { skipped: 'only root may mount a tmpfs' }
  return withDirectory(async (directory) => {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory], { stdio: 'pipe' })
    } catch (error) {
      return { skipped: `mount refused: ${error instanceof Error ? error.message.trim() : error}` }
    }
    const unmount = () => execFileSync('umount', ['--lazy', directory], { stdio: 'pipe' })
    // Before the directory is removed.
    process.prependOnceListener('exit', unmount)
    try {
      return await work(directory)
    } finally {
      process.removeListener('exit', unmount)
      unmount()
    }
  })
}
