import { readItem, writeItem } from '../shared/storage.ts'

/** Shorter ones are seen from the beginning. */
const WORTHWHILE = 60
/** Playback that ended so near the beginning or the end starts from the beginning; in seconds. */
const MARGIN = 10
const MOST = 200
const STORAGE = 'positions'

type Positions = Record<string, number>

/** In seconds, 0 where a video was not left in its middle. */
export const readPosition = (key: string): number => read()[key] ?? 0

export function savePosition(key: string, { currentTime, duration, ended }: HTMLMediaElement): void {
  if (!(duration > WORTHWHILE)) return
  const { [key]: _, ...others } = read()
  const inside = !ended && currentTime > MARGIN && currentTime < duration - MARGIN
  // The latest comes last.
  write(inside ? { ...others, [key]: Math.floor(currentTime) } : others)
}

function read(): Positions {
  try {
    return JSON.parse(readItem('localStorage', STORAGE) ?? '{}')
  } catch {
    return {}
  }
}

function write(positions: Positions): void {
  const kept = Object.entries(positions).slice(-MOST)
  writeItem('localStorage', STORAGE, kept.length === 0 ? null : JSON.stringify(Object.fromEntries(kept)))
}
