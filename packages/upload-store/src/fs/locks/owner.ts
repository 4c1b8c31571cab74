import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { threadId } from 'node:worker_threads'
import { hasCode } from '../disk/files.ts'

/** A thread of a process, told from every other: `system/pid/start/thread`. */
export type Owner = string

let own: Owner | undefined

/** This thread of this process. */
export function ownOwner(): Owner {
  own ??= [system(), process.pid, startOf(process.pid) ?? '', threadId].join('/')
  return own
}

/** What a page cache lives as long as; the empty string where that cannot be told. */
export function currentBoot(): string {
  return read('/proc/sys/kernel/random/boot_id') ?? ''
}

/**
 * Returns whether a process is dead: `true` and `false` are proofs, `undefined` is a process that cannot be seen from here, in
 * another container or on another machine, or with whose number another process may go about now.
 */
export function isDead(owner: Owner): boolean | undefined {
  const [where, pid = '', start] = owner.split('/')
  const [here, , ownStart] = ownOwner().split('/')
  if (where !== here || !/^\d+$/.test(pid)) return undefined
  // A thread of ours that may have ended without a word.
  if (Number(pid) === process.pid && start === ownStart) return undefined
  const now = startOf(Number(pid))
  if (now !== undefined) return now !== start
  return hasNoProcess(Number(pid)) ? true : undefined
}

/** What the number of a process is unique in: one boot, one namespace; where there are none, one machine. */
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

/** When a process began, in ticks since boot: its number is used again after it. */
function startOf(pid: number): string | undefined {
  // The second field is the program's name, spaces and parentheses included.
  const fields = read(`/proc/${pid}/stat`)?.replace(/^.*\)/s, '').trim().split(' ')
  // A zombie has let go of its files, unless another of its threads is still inside a system call.
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
