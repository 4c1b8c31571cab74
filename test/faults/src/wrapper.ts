import { AsyncLocalStorage } from 'node:async_hooks'
import { channel } from 'node:diagnostics_channel'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

// Loaded with `node --import`, before the store is: every function of node:fs that takes a path or a descriptor is
// replaced, so that the store can be stopped, or made to fail, at each of its calls.

/** One file-system call on the watched directory or on what is below it. */
export interface Call {
  /** From 1, in the order in which calls begin. */
  readonly number: number
  /** As FileHandle names it: `datasync` stands for `fdatasync` and `fdatasyncSync` too. */
  readonly name: string
  /** What it works on: one path, or two. */
  readonly paths: readonly string[]
  /** Of calls on something open. */
  readonly descriptor: number | undefined
  /** The step of a commit or a sweep that makes the call, as the store names it. */
  readonly step: string | undefined
  /** The arguments behind the paths or the descriptor. */
  readonly rest: readonly unknown[]
}

/** Both run synchronously and unwatched; what they throw becomes the call's outcome. */
export interface Watcher {
  before?(call: Call): void
  /** Runs before the caller learns of the outcome; `failed`: the call itself threw. */
  after?(call: Call, failed: boolean): void
}

const BY_PATH = [
  ...[
    'access',
    'appendFile',
    'chmod',
    'copyFile',
    'cp',
    'link',
    'lstat',
    'lutimes',
    'mkdir',
    'mkdtemp',
    'open',
  ],
  ...['opendir', 'readFile', 'readdir', 'readlink', 'realpath', 'rename', 'rm', 'rmdir', 'stat', 'statfs'],
  ...['symlink', 'truncate', 'unlink', 'utimes', 'writeFile'],
]
const BY_DESCRIPTOR = [
  ...['close', 'fchmod', 'fdatasync', 'fstat', 'fsync', 'ftruncate', 'futimes', 'read', 'readv', 'write'],
  'writev',
]
const OF_HANDLE = [
  ...['appendFile', 'chmod', 'close', 'datasync', 'read', 'readFile', 'readv', 'stat', 'sync', 'truncate'],
  ...['utimes', 'write', 'writeFile', 'writev'],
]
const TWO_PATHS = ['copyFile', 'cp', 'link', 'rename', 'symlink']

type Perform = (args: readonly unknown[]) => unknown
type Style = (call: Call, watcher: Watcher, perform: Perform, args: readonly unknown[]) => unknown

const { readlinkSync, readdirSync } = fs

const currentStep = new AsyncLocalStorage<string>()
channel('upload-store:step').bindStore(currentStep, (step) => String(Reflect.get(Object(step), 'name')))

let watched: { readonly directory: string; readonly watcher: Watcher } | null = null
let calls = 0

/** Tells `watcher` of every call, until the returned function is called. */
export function watch(directory: string, watcher: Watcher): () => void {
  calls = 0
  watched = { directory, watcher }
  return () => {
    watched = null
  }
}

/** What this process has open at or below `directory`. */
export function openBelow(directory: string): string[] {
  const paths = readdirSync('/proc/self/fd').map((name) => pathOf(Number(name)))
  return paths.filter((path) => isBelow(path, directory))
}

/** Linux knows the path of a descriptor, whoever opened it; empty for one that is closed. */
function pathOf(descriptor: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`).replace(/ \(deleted\)$/, '')
  } catch {
    return ''
  }
}

function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`)
}

function callOf(name: string, self: unknown, args: readonly unknown[]): Call | null {
  if (watched === null) return null
  const { directory } = watched
  const isHandle = (value: unknown) => value instanceof FileHandle
  const [descriptor, rest] = isHandle(self)
    ? [descriptorOf(self), args]
    : [descriptorOf(args[0]), args.slice(1)]
  const count = TWO_PATHS.includes(name) ? 2 : 1
  const paths = descriptor === undefined ? args.slice(0, count).map(String) : [pathOf(descriptor)]
  if (!paths.some((path) => isBelow(path, directory))) return null
  calls++
  const step = currentStep.getStore()
  const others = descriptor === undefined ? args.slice(count) : rest
  return { number: calls, name, paths, descriptor, step, rest: others }
}

function descriptorOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return value instanceof FileHandle ? Number(Reflect.get(value, 'fd')) : undefined
}

/** Runs `work` without telling the watcher of its calls. */
export function unwatched(work: () => void): void {
  const saved = watched
  watched = null
  try {
    work()
  } finally {
    watched = saved
  }
}

const inSync: Style = (call, watcher, perform, args) => {
  unwatched(() => watcher.before?.(call))
  let failed = true
  try {
    const result = perform(args)
    failed = false
    return result
  } finally {
    unwatched(() => watcher.after?.(call, failed))
  }
}

const inPromise: Style = async (call, watcher, perform, args) => {
  unwatched(() => watcher.before?.(call))
  let failed = true
  try {
    const result = await perform(args)
    failed = false
    return result
  } finally {
    unwatched(() => watcher.after?.(call, failed))
  }
}

const withCallback: Style = (call, watcher, perform, args) => {
  const callback = args.at(-1)
  if (typeof callback !== 'function') throw new TypeError(`${call.name} without a callback`)
  const answer = (...results: readonly unknown[]) => Reflect.apply(callback, undefined, results)
  try {
    unwatched(() => watcher.before?.(call))
  } catch (error) {
    process.nextTick(answer, error)
    return
  }
  const answered = (...results: readonly unknown[]) => {
    try {
      unwatched(() => watcher.after?.(call, results[0] instanceof Error))
    } catch (error) {
      return answer(error)
    }
    return answer(...results)
  }
  perform([...args.slice(0, -1), answered])
}

/** `close` is a property of each FileHandle of its own, not of their prototype. */
function withClose(result: unknown): unknown {
  if (!(result instanceof Promise)) return result
  return result.then((value) => {
    if (value instanceof FileHandle) wrap(value, 'close', inPromise)
    return value
  })
}

/** Replaces one function; one that this version of Node does not have is left out. */
function wrap(owner: object, property: string, style: Style): void {
  const original: unknown = Reflect.get(owner, property)
  if (typeof original !== 'function') return
  const name = property.replace(/Sync$/, '').replace(/^f(?=chmod|datasync|stat|sync|truncate|utimes)/, '')
  const wrapped = function (this: unknown, ...args: readonly unknown[]): unknown {
    const perform: Perform = (actual) => withClose(Reflect.apply(original, this, actual))
    const call = callOf(name, this, args)
    return call === null || watched === null ? perform(args) : style(call, watched.watcher, perform, args)
  }
  // util.promisify finds its own variant of some on the function.
  Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(original))
  Reflect.set(owner, property, wrapped)
}

const handle = await fs.promises.open(process.execPath)
const FileHandle = handle.constructor
await handle.close()

for (const name of [...BY_PATH, ...BY_DESCRIPTOR]) {
  wrap(fs, name, withCallback)
  wrap(fs, `${name}Sync`, inSync)
}
for (const name of BY_PATH) wrap(fs.promises, name, inPromise)
for (const name of OF_HANDLE) wrap(Object.getPrototypeOf(handle), name, inPromise)
syncBuiltinESMExports()
