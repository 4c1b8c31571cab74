/** What the server did, by kind of request. */
export class Tally {
  readonly #rows = new Map<string, { requests: number; failures: number; bytes: number; worst: number }>()
  readonly broken: string[] = []

  /** Takes a request in that is over. */
  add(kind: string, bytes: number, ms: number): void {
    const row = this.#row(kind)
    row.requests++
    row.bytes += bytes
    row.worst = Math.max(row.worst, ms)
  }

  /** Something that must not be; the first few are told. */
  fail(kind: string, what: string): void {
    this.#row(kind).failures++
    if (this.broken.length < 20) this.broken.push(`${kind}: ${what}`)
  }

  table(): string {
    const rows = [...this.#rows].map(([kind, { requests, failures, bytes, worst }]) => [
      kind,
      String(requests),
      String(failures),
      `${Math.round(bytes / 1024 ** 2)} MiB`,
      `${Math.round(worst)} ms`,
    ])
    const all = [['kind', 'requests', 'failures', 'bytes', 'slowest'], ...rows]
    return all
      .map((cells) => cells.map((cell, at) => (at === 0 ? cell.padEnd(12) : cell.padStart(11))).join(''))
      .join('\n')
  }

  #row(kind: string) {
    const row = this.#rows.get(kind) ?? { requests: 0, failures: 0, bytes: 0, worst: 0 }
    this.#rows.set(kind, row)
    return row
  }
}

/** What a process held at one moment. */
export interface Held {
  /** Bytes. */
  readonly memory: number
  readonly descriptors: number
}

/** Above this share of what the server held after warm-up, memory is not flat. */
const GROWTH = 1.25
/** Beside the share: what a garbage collector may leave for later. */
const SLACK = 32 * 1024 ** 2

/**
 * What is not as promised of memory and descriptors.
 *
 * @param samples while it ran, in order, without the first third
 */
export function brokenByGrowth(baseline: Held, samples: readonly Held[], after: Held): readonly string[] {
  const third = Math.ceil(samples.length / 3)
  const [early, late] = [samples.slice(0, third), samples.slice(-third)].map(medianMemory)
  const broken: string[] = []
  if (early !== undefined && late !== undefined && late > early * GROWTH + SLACK)
    broken.push(`memory grew from ${inMiB(early)} to ${inMiB(late)}`)
  if (after.descriptors > baseline.descriptors)
    broken.push(`${after.descriptors} descriptors are open after, ${baseline.descriptors} before`)
  return broken
}

export function medianMemory(samples: readonly Held[]): number | undefined {
  const sorted = samples.map(({ memory }) => memory).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

export function inMiB(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`
}
