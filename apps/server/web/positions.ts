/** Shorter ones are seen from the beginning. */
const WORTHWHILE = 60
/** Who is so near the beginning or the end wants to begin anew; in seconds. */
const MARGIN = 10
const MOST = 200
const STORAGE = 'positions'

type Positions = Record<string, number>

/** In seconds, 0 where a video was not left in its middle. */
export const positionOf = (key: string): number => read()[key] ?? 0

export function keepPosition(key: string, { currentTime, duration, ended }: HTMLMediaElement): void {
  if (!(duration > WORTHWHILE)) return
  const { [key]: _, ...others } = read()
  const inside = !ended && currentTime > MARGIN && currentTime < duration - MARGIN
  // The latest comes last.
  write(inside ? { ...others, [key]: Math.floor(currentTime) } : others)
}

function read(): Positions {
  try {
    return JSON.parse(localStorage.getItem(STORAGE) ?? '{}')
  } catch {
    return {}
  }
}

function write(positions: Positions): void {
  const kept = Object.entries(positions).slice(-MOST)
  try {
    if (kept.length === 0) localStorage.removeItem(STORAGE)
    else localStorage.setItem(STORAGE, JSON.stringify(Object.fromEntries(kept)))
  } catch {
    // A browser that keeps nothing begins at the beginning.
  }
}
