import { opendirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises'
import { statFile } from './stat-file.ts'

/** How old a scan may be: 1000 ms, or 20 times its duration. So scanning takes at most 5 % of the time. */
const MAX_AGE = 1000
const MAX_AGE_PER_DURATION = 20
/** How long a caller waits for a scan if there is an older one, in ms. A scan of 20,000 uploads takes 100 to 200 ms. */
const PATIENCE = 4
/** How many names are looked at before other work runs: about 0.1 ms. An upload waits for its turn some 30 times. */
const BATCH = 32
/** How many names are read at once. All names of 20,000 uploads at once would hold up every request for 20 ms. */
const NAMES = 128

const PART = /^([\w-]{22})(?:\.[\w-]{22})?\.part$/

/** An upload that this process writes. Its bytes are counted as they arrive. */
export interface OpenUpload {
  /** The path of its bytes. */
  readonly part: string
  bytes: number
  /** Whether it is sealed; a commit may then have made it a blob. */
  sealed: boolean
}

/**
 * The bytes of all unfinished uploads. Uploads of this process are counted exactly. Paused uploads and those of other
 * processes are counted by a scan that is at most a second old, or 20 times its duration if there are very many
 * uploads. If the scan then takes longer than a few ms, the sum of the scan before counts until it has ended.
 */
export class StagedBytes {
  readonly #staging: string
  readonly #open = new Map<string, OpenUpload>()
  #others = new Map<string, number>()
  /** The sum of `#others`: adding 20,000 numbers for each check would take longer than the check. */
  #othersSum = 0
  /** Uploads that this process opened, paused or removed during a scan, so that the scan may have missed the change. */
  readonly #changed = new Set<string>()
  #scanAgainAt = Number.NEGATIVE_INFINITY
  #hasScanned = false
  #scanning: Promise<void> | undefined

  constructor(staging: string) {
    this.#staging = staging
  }

  open(id: string, bytes: number, part: string): OpenUpload {
    const upload = { part, bytes, sealed: false }
    this.#open.set(id, upload)
    this.remove(id)
    return upload
  }

  /** @param kept how many bytes of the upload stay, as of one that is paused */
  close(id: string, kept: number): void {
    this.#open.delete(id)
    this.remove(id)
    if (kept === 0) return
    this.#others.set(id, kept)
    this.#othersSum += kept
  }

  /** Call when the bytes of an upload that is not open were removed. */
  remove(id: string): void {
    this.#othersSum -= this.#others.get(id) ?? 0
    this.#others.delete(id)
    this.#changed.add(id)
  }

  /** Starts the first scan, so that the first upload need not wait for all of it. */
  prepare(): void {
    this.#scan().catch(() => {})
  }

  async total(): Promise<number> {
    if (performance.now() >= this.#scanAgainAt) {
      const scanning = this.#scan()
      await (this.#hasScanned ? Promise.race([scanning, wait(PATIENCE)]) : scanning)
    }
    let sum = this.#othersSum
    for (const { part, bytes, sealed } of this.#open.values()) {
      // With a second link, the file is a blob already and is counted as one.
      if (!sealed || statSync(part, { throwIfNoEntry: false })?.nlink === 1) sum += bytes
    }
    return sum
  }

  #scan(): Promise<void> {
    this.#scanning ??= this.#scanNow().finally(() => {
      this.#scanning = undefined
    })
    return this.#scanning
  }

  async #scanNow(): Promise<void> {
    const started = performance.now()
    this.#changed.clear()
    const found = await this.#readSizes()
    for (const id of this.#changed) {
      const bytes = this.#others.get(id)
      if (bytes === undefined) found.delete(id)
      else found.set(id, bytes)
    }
    this.#changed.clear()
    this.#others = found
    this.#othersSum = sumOf(found.values())
    this.#hasScanned = true
    const now = performance.now()
    this.#scanAgainAt = now + Math.max(MAX_AGE, (now - started) * MAX_AGE_PER_DURATION)
  }

  async #readSizes(): Promise<Map<string, number>> {
    const sizes = new Map<string, number>()
    // Synchronous, because a promise for each name would take longer than its turn.
    const directory = opendirSync(this.#staging, { bufferSize: NAMES })
    try {
      let read = 0
      for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
        this.#addSize(entry.name, sizes)
        if (++read % BATCH === 0) await nextTurn()
      }
    } finally {
      directory.closeSync()
    }
    return sizes
  }

  #addSize(name: string, sizes: Map<string, number>): void {
    const id = PART.exec(name)?.[1]
    if (id === undefined || this.#open.has(id)) return
    const stats = statFile(join(this.#staging, name))
    if (stats?.isFile() === true && stats.nlink === 1n) sizes.set(id, Number(stats.size))
  }
}

function sumOf(numbers: Iterable<number>): number {
  let sum = 0
  for (const number of numbers) sum += number
  return sum
}
