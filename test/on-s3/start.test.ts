import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'

async function start(flags: readonly string[], env: Record<string, string> = {}) {
  const server = new ServerProcess(['--port', '0', '--data', await temporaryDirectory(), ...flags], env)
  onTestFinished(async () => void (await server.stop('SIGKILL')))
  return server
}

/** A module that has a process live two hours ahead. */
async function clockAhead(): Promise<string> {
  const path = join(await temporaryDirectory(), 'ahead.mjs')
  await writeFile(
    path,
    `const { now } = Date
    globalThis.Date = class extends Date {
      constructor(...parts) { parts.length > 0 ? super(...parts) : super(now() + 7_200_000) }
      static now() { return now() + 7_200_000 }
    }`,
  )
  return path
}

describe('with --store s3', () => {
  it('says where the videos are, and stores there', async () => {
    const server = await start(['--accept', '*/*', '--workers', '2'])
    const url = await server.url()
    await fetch(`${url}/videos/a`, { method: 'PUT', body: 'hello' })
    expect(await (await fetch(`${url}/videos/a`, { headers: { Range: 'bytes=1-3' } })).text()).toBe('ell')
    const { stdout, code } = await server.stop()
    expect(stdout).toMatch(/^ {2}videos {3}s3:\/\/tests\/\w{32}\/ at http:\/\/127\.0\.0\.1:\d+$/m)
    expect(code).toBe(0)
  })

  it.each([
    [
      'a bucket that is missing',
      ['--s3-bucket', 'nowhere'],
      {},
      /"nowhere": NoSuchBucket\. Create the bucket/,
    ],
    ['a wrong secret', [], { AWS_SECRET_ACCESS_KEY: 'x' }, /SignatureDoesNotMatch\. Check the secret key/],
    ['an unknown key', [], { AWS_ACCESS_KEY_ID: 'nobody' }, /InvalidAccessKeyId\. Check the access key/],
    [
      'workers and a wrong secret',
      ['--workers', '2'],
      { AWS_SECRET_ACCESS_KEY: 'x' },
      /SignatureDoesNotMatch/,
    ],
  ])('says in one line what is wrong about %s, and exits 2', async (_, flags, env, message) => {
    const { code, stdout, stderr } = await (await start(flags, env)).exited
    expect(stderr).toMatch(/^--store s3: .+\n$/)
    expect(stderr).toMatch(message)
    expect([stdout, code]).toEqual(['', 2])
  })

  it('says in one line that the clock is wrong, and exits 2', async () => {
    const ahead = { NODE_OPTIONS: `--import ${await clockAhead()}` }
    const { code, stderr } = await (await start([], ahead)).exited
    expect(stderr).toMatch(/^--store s3: .+RequestTimeTooSkewed\. This machine's clock.+NTP\.\n$/)
    expect(code).toBe(2)
  })
})
