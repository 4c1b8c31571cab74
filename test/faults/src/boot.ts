import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/** Makes this process one of another boot of the machine, as those are that a power cut ended. */
export function pretendBoot(id: string): void {
  const { readFileSync } = fs
  const pretending = (path: unknown, ...options: readonly unknown[]): unknown =>
    path === '/proc/sys/kernel/random/boot_id' ? id : Reflect.apply(readFileSync, fs, [path, ...options])
  Reflect.set(fs, 'readFileSync', pretending)
  syncBuiltinESMExports()
}
