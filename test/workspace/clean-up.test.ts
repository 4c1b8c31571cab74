import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it, onTestFinished } from 'vitest'
import { REPOSITORY } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { isRunning } from '../support/workers.ts'

/** Starts a daemon, as Ceph's are, prints its pid, and waits for a signal. */
const PROGRAM = `
  import { spawn } from 'node:child_process'
  import { cleanUpAfterwards } from ${JSON.stringify(join(REPOSITORY, 'test/support/clean-up.mjs'))}
  const directory = process.argv[1]
  cleanUpAfterwards(directory)
  const daemon = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore', env: { ...process.env, DATA: directory } })
  console.log(daemon.pid)
  setInterval(() => {}, 1000)
`

it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
  'a test run that %s ends leaves no daemon and no directory',
  async (signal) => {
    const directory = join(await temporaryDirectory(), 'data')
    await mkdir(join(directory, 'files'), { recursive: true })
    const run = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void run.kill('SIGKILL'))
    const [pid] = await once(createInterface(run.stdout), 'line')
    expect(await isRunning(Number(pid))).toBe(true)
    run.kill(signal)
    const exists = () => stat(directory).catch(() => null)
    await expect.poll(exists).toBeNull()
    expect(await isRunning(Number(pid))).toBe(false)
  },
)
