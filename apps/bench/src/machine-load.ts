import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

/** How much of all processors was in use over some time in which this process does nothing, from 0 to 1. */
export async function machineLoad(milliseconds: number): Promise<number> {
  const before = readTicks()
  await setTimeout(milliseconds)
  const after = readTicks()
  return (after.busy - before.busy) / (after.all - before.all)
}

function readTicks(): { readonly busy: number; readonly all: number } {
  const [first = ''] = readFileSync('/proc/stat', 'latin1').split('\n', 1)
  // user, nice, system, idle, iowait, irq, softirq, steal; what comes then is part of the first two.
  const ticks = first.trim().split(/\s+/).slice(1, 9).map(Number)
  const all = ticks.reduce((sum, each) => sum + each, 0)
  return { all, busy: all - (ticks[3] ?? 0) - (ticks[4] ?? 0) }
}
