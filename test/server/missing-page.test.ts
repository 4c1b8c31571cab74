import { execFile } from 'node:child_process'
import { cp, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { REPOSITORY } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'

/** The server as `tsc -b` alone leaves it. Returns its folder. */
async function serverWithoutPage(): Promise<string> {
  const folder = await temporaryDirectory()
  const server = join(REPOSITORY, 'apps/server')
  for (const name of ['node_modules', 'package.json', 'assets'])
    await symlink(join(server, name), join(folder, name))
  const page = join(server, 'dist/page')
  await cp(join(server, 'dist'), join(folder, 'dist'), {
    recursive: true,
    filter: (path) => path !== page && !/\.(?:d\.ts|map|tsbuildinfo)$/.test(path),
  })
  return folder
}

const MISSING = /dist\/page has no page\.js: the page has not been built\. Run `npm run build`/

it.each(['1', '2'])(
  'a server with --workers %s does not start if its page has not been built',
  async (workers) => {
    const folder = await serverWithoutPage()
    const flags = ['--port', '0', '--data', join(folder, 'data'), '--workers', workers]
    const run = promisify(execFile)(process.execPath, [join(folder, 'dist/main.js'), ...flags])
    const { code, stdout, stderr } = await run.catch((error) => error)
    expect(stderr).toMatch(MISSING)
    expect([code, stdout, stderr.trimEnd().split('\n').length]).toEqual([2, '', 1])
  },
)

it('createApp throws an error that names the missing page and the command that builds it', async () => {
  const folder = await serverWithoutPage()
  const program = join(folder, 'dist/program.mjs')
  await writeFile(
    program,
    `import { createApp, loadConfig } from './index.js'
    import { createMemoryStore } from 'upload-store'
    createApp(loadConfig([], {}), createMemoryStore())`,
  )
  const run = promisify(execFile)(process.execPath, [program])
  await expect(run).rejects.toThrow(MISSING)
})
