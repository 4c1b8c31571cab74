import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { availableParallelism } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

/** Servers run on the first processor and clients on the second, so that neither takes time from the other. */
export const SERVER_PROCESSOR = 0
export const CLIENT_PROCESSOR = 1

/** Where programs of the administrator lie, which is not on everybody's PATH. */
const MORE_DIRECTORIES = ['/usr/sbin', '/usr/local/sbin']

/** The path of a program, or `null` where it is not installed. */
export function findProgram(name: string): string | null {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), ...MORE_DIRECTORIES]
  return directories.map((directory) => join(directory, name)).find(isExecutable) ?? null
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** This machine cannot run a bench as it is; the message says in one line what to do about it. */
export class UnfitMachineError extends Error {}

/** @throws UnfitMachineError when a program is missing, or this is no Linux with two processors */
export function requirePrograms(packages: Readonly<Record<string, string>>): void {
  if (process.platform !== 'linux') throw new UnfitMachineError('This bench needs Linux: it reads /proc.')
  if (availableParallelism() < 2)
    throw new UnfitMachineError('This bench needs two processors: one for each side.')
  for (const [program, name] of Object.entries(packages)) {
    if (findProgram(program) === null) {
      throw new UnfitMachineError(
        `${program} is missing: install it, on Debian with "apt-get install ${name}".`,
      )
    }
  }
}

/** Confines this process, and with it those that it starts from now on, to one processor. */
export async function pinThisProcess(processor: number): Promise<void> {
  const args = ['--all-tasks', '--cpu-list', '--pid', String(processor), String(process.pid)]
  await promisify(execFile)('taskset', args)
}
