import { writeSync } from 'node:fs'
import { constants } from 'node:os'
import type { Call, Watcher } from './wrapper.ts'

/** When to kill; `half`: after some of a write's bytes. */
export type Phase = 'before' | 'half' | 'after'

/** A call of a run that was not disturbed. */
export interface NotedCall {
  /** As `describeCall` gives it. */
  readonly text: string
  /** The step of a commit or a sweep that made it. */
  readonly step: string | null
}

/** Notes every call, to learn what points there are. */
export class Counter implements Watcher {
  readonly calls: NotedCall[] = []

  before(call: Call): void {
    this.calls.push({ text: describeCall(call), step: call.step ?? null })
  }
}

/** As in `open(wx) staging/1.part`. */
export function describeCall({ name, paths, rest: [flags] }: Call): string {
  return `${name}${name === 'open' ? `(${flags ?? 'r'})` : ''} ${paths.map(shortPath).join(' -> ')}`
}

/** Relative to the store, and a lock's owner left out. */
export function shortPath(path: string): string {
  return path.replace(/^.*?\/data(?:\/|$)/, './').replace(/^([\w-]{22}):.*/, '$1')
}

/** Ends the process at one call, as a crash does: nothing is flushed, closed or told. */
export class Killer implements Watcher {
  readonly #at: number
  readonly #phase: Phase

  constructor(at: number, phase: Phase) {
    this.#at = at
    this.#phase = phase
  }

  before(call: Call): void {
    if (call.number !== this.#at || this.#phase === 'after') return
    if (this.#phase === 'half') writeHalf(call)
    die()
  }

  after(call: Call): void {
    if (call.number === this.#at) die()
  }
}

function die(): never {
  process.kill(process.pid, 'SIGKILL')
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

/** Knows the forms of write that the store uses; of others nothing is written. */
function writeHalf({ name, descriptor, rest: [data, offset = 0, length, position] }: Call): void {
  if (descriptor === undefined) return
  if (name === 'writeFile' && typeof data === 'string') writeSync(descriptor, data.slice(0, data.length / 2))
  if (name !== 'write' || !(data instanceof Uint8Array)) return
  const [from, to] = [Number(offset), Number(length ?? data.length)]
  writeSync(
    descriptor,
    data.subarray(from, from + to / 2),
    0,
    undefined,
    position == null ? null : Number(position),
  )
}

/** Whether a call, as `describeCall` tells of it, may fail with `error`. */
export function canFail(call: string, error: string): boolean {
  if (error === 'ENOSPC')
    return /^(?:open\([wa]|write|mkdir|copyFile|link|symlink|rename|datasync|sync)/.test(call)
  return error !== 'EMFILE' || /^(?:open|readdir|readFile)/.test(call)
}

/** Lets one call fail as a disk, a full disk, or a process with too many open files does. */
export class Failer implements Watcher {
  readonly #at: number
  readonly #code: string

  constructor(at: number, code: string) {
    this.#at = at
    this.#code = code
  }

  before(call: Call): void {
    if (this.#isChosen(call) && call.name !== 'close') throw this.#error(call)
  }

  after(call: Call): void {
    // A close that fails has closed.
    if (this.#isChosen(call) && call.name === 'close') throw this.#error(call)
  }

  /** Calls that run side by side may come in another order than they were counted in. */
  #isChosen(call: Call): boolean {
    return call.number === this.#at && canFail(describeCall(call), this.#code)
  }

  #error(call: Call): Error {
    const errno = -Number(Reflect.get(constants.errno, this.#code))
    const error = new Error(`${this.#code}: made to fail, ${describeCall(call)}`)
    return Object.assign(error, { code: this.#code, errno, syscall: call.name })
  }
}
