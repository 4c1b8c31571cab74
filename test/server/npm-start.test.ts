import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it, onTestFinished } from 'vitest'
import { REPOSITORY } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'

it('npm start passes SIGTERM on, leaves no orphan and exits 0', async () => {
  const flags = ['--port', '0', '--data', await temporaryDirectory(), '--log-level', 'silent']
  // Without the scripts before it, which install and build what is built already.
  const npm = spawn('npm', ['start', '--ignore-scripts', '-s', '--', ...flags], {
    cwd: REPOSITORY,
    detached: true,
  })
  onTestFinished(() => {
    try {
      process.kill(-(npm.pid ?? 0), 'SIGKILL')
    } catch {
      // Nobody is left: as it should be.
    }
  })
  const [first] = await once(npm.stdout, 'data')
  const [url = ''] = String(first).split('\n')
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
  npm.kill('SIGTERM')
  const [code] = await once(npm, 'exit')
  await expect(fetch(`${url}/healthz`)).rejects.toThrow()
  expect(code).toBe(0)
})
