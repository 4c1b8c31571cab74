import type { Problem } from '../shared/problem.ts'

/** The problem to show when `withTabLock` returns `null`. */
export const ELSEWHERE: Problem = {
  title: 'Another tab is uploading this file',
  detail: 'The upload continues there. To resume it here, close that tab and try again.',
}

/** How long a tab that stops, or only checks an upload, may hold the lock, in ms. */
const PATIENCE = 2000

/**
 * Runs `run` unless another tab works on the same file: the server takes the newest request for the right one, and two tabs
 * would interrupt each other without end. Returns `null` if one does. Pages of plain HTTP have no locks and run it at once.
 */
export async function withTabLock<T>(name: string, run: () => Promise<T>): Promise<T | null> {
  if (!('locks' in navigator)) return run()
  let begun = false
  const begin = (): Promise<T> => {
    begun = true
    return run()
  }
  try {
    return await navigator.locks.request(lockName(name), { signal: AbortSignal.timeout(PATIENCE) }, begin)
  } catch (error) {
    if (begun) throw error
    return null
  }
}

/** Runs `run` as soon as no tab works on the file. */
export async function afterOthers(name: string, run: () => Promise<void>): Promise<void> {
  if ('locks' in navigator) await navigator.locks.request(lockName(name), run)
  else await run()
}

const lockName = (fingerprint: string): string => `upload ${fingerprint}`
