import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

// JavaScript, as programs that are compiled elsewhere run it as it is.

/** Kills the processes of `directory` and removes it when this process ends, by SIGKILL too, or when the result is called. */
export function cleanUpAfterwards(directory) {
  // In a session of its own, which Ctrl-C does not reach, and without variables that name the directory.
  const script = spawn(join(import.meta.dirname, 'clean-up.sh'), {
    detached: true,
    env: { PATH: process.env.PATH },
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  script.stdin.write(`${directory}\n`)
  script.unref()
  script.stdin.unref()
  return async () => {
    script.ref()
    const ended = once(script, 'exit')
    script.stdin.end()
    await ended
  }
}
