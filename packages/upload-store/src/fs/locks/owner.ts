import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { threadId } from 'node:worker_threads'
import { hasCode } from '../disk/files.ts'

/** Uniquely identifies one thread of one process: `system/pid/start/thread`. */
export type Owner = string

let own: Owner | undefined

/** Returns the identity of this thread. */
export function ownOwner(): Owner {
  own ??= [system(), process.pid, startOf(process.pid) ?? '', threadId].join('/')
  return own
}

let boot: string | undefined

/** Returns the id of this boot, for whose duration the page cache lives; the empty string if it is unknown. */
export function currentBoot(): string {
  boot ??= read('/proc/sys/kernel/random/boot_id') ?? ''
  return boot
}

/**
 * Returns whether a process is dead. `true` and `false` are certain. `undefined` means that the process cannot be seen
 * from here, in another container or on another machine, or that its pid may have been reused.
 */
export function isDead(owner: Owner): boolean | undefined {
  const [where, pid = '', start] = owner.split('/')
  const [here, , ownStart] = ownOwner().split('/')
  if (where !== here || !/^\d+$/.test(pid)) return undefined
  // Another thread of this process. It may have ended without releasing its locks.
  if (Number(pid) === process.pid && start === ownStart) return undefined
  const now = startOf(Number(pid))
  if (now !== undefined) return now !== start
  return hasNoProcess(Number(pid)) ? true : undefined
}

/**
 * Returns the id of the system in which a pid is unique: one boot and pid namespace, or one machine if these are
 * unknown.
 */
function system(): string {
  return createHash('sha256').update(`${currentBoot()} ${namespace()}`).digest('base64url').slice(0, 10)
}

function namespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return hostname()
  }
}

/** Returns when a process started, in ticks since boot, because a pid is reused after its process has ended. */
function startOf(pid: number): string | undefined {
  // The second field is the program's name, spaces and parentheses included.
  const fields = read(`/proc/${pid}/stat`)?.replace(/^.*\)/s, '').trim().split(' ')
  // A zombie has released its files, unless another of its threads is still inside a system call.
  return fields?.[0] === 'Z' && Number(fields[17]) <= 1 ? 'gone' : fields?.[19]
}

function hasNoProcess(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return hasCode(error, 'ESRCH')
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return undefined
  }
}
