import { expect, it, onTestFinished } from 'vitest'
import { ServerProcess } from '../support/server.ts'
import { REFUSED } from './refused-flags.ts'

it.each(REFUSED)('the command rejects %j %j in one line and exits 2', async (flags, env, message) => {
  const server = new ServerProcess(flags, env)
  onTestFinished(async () => void (await server.stop('SIGKILL')))
  const { code, stdout, stderr } = await server.exited
  expect(stderr).toMatch(message)
  expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  expect([stdout, code]).toEqual(['', 2])
})
