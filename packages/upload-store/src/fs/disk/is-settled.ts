/** For how long two states of a file may share a time stamp, in ms: the clock of a file system ticks every 4–10 ms. */
const TICK = 50
/**
 * The same duration for time stamps without fractions: some file systems keep whole seconds, and FAT keeps even ones.
 */
const COARSE_TICK = 2000 + TICK

/**
 * Whether a file that was last changed at `changed` (in ns) cannot change once more and keep that time stamp.
 *
 * @param now ms since the epoch, from before the time stamp was read
 */
export function isSettled(changed: bigint, now: number): boolean {
  const isCoarse = changed % 1_000_000_000n === 0n
  return now - Number(changed / 1_000_000n) > (isCoarse ? COARSE_TICK : TICK)
}
