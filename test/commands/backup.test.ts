import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createFsStore } from 'upload-store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { REPOSITORY, ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { describeWith } from '../support/tools.ts'
import { runCommand } from './run-command.ts'

const DOCUMENT = await readFile(join(REPOSITORY, 'docs/operations.md'), 'utf8')

/** The lines of the document that make a backup with a program. */
function stepsWith(program: string): readonly string[] {
  const blocks = [...DOCUMENT.matchAll(/^```sh\n(.*?)^```/gms)].map(([, text = '']) => text)
  const block = blocks.find((text) => text.startsWith(`${program} -a`))
  if (block === undefined) throw new Error(`docs/operations.md has no backup with ${program}.`)
  return block.trim().split('\n')
}

const digestOf = (body: string) => createHash('sha256').update(body).digest('hex')

function describeBackup(program: string): void {
  it(`with ${program} has every video that was stored before, though uploads run meanwhile`, async () => {
    const folder = await temporaryDirectory()
    await mkdir(join(folder, 'backup'))
    const data = join(folder, 'data')
    const server = new ServerProcess([
      '--port',
      '0',
      '--accept',
      '*/*',
      '--data',
      data,
      '--log-level',
      'error',
    ])
    onTestFinished(async () => void (await server.stop('SIGKILL')))
    const url = await server.url()
    const put = async (key: string, body: string) =>
      expect((await fetch(`${url}/videos/${key}`, { method: 'PUT', body })).status).toBeLessThan(300)
    for (let number = 0; number < 40; number++) await put(`old-${number}`, `old ${number}`)
    let isRunning = true
    const uploads = (async () => {
      for (let number = 0; isRunning; number++) await put(`new-${number}`, `new ${number}`)
    })()
    const [first = '', second = '', verify = ''] = stepsWith(program)
    // A file of an upload may disappear while it is copied, which rsync and cp report after they have copied the rest.
    for (const step of [first, second])
      await promisify(execFile)('sh', ['-c', step], { cwd: folder }).catch((error) =>
        expect(error.stderr).toMatch(/vanished|No such file/),
      )
    isRunning = false
    await uploads
    const backup = verify.split(' ').at(-1) ?? ''
    const verified = await runCommand('verify', '--data', join(folder, backup))
    expect([verified.stderr, verified.code]).toEqual(['', 0])
    const store = createFsStore(join(folder, backup))
    for (let number = 0; number < 40; number++)
      expect((await store.get(`old-${number}`))?.digest).toBe(digestOf(`old ${number}`))
    await store.close()
  })
}

describe('a backup of a running store by the steps of docs/operations.md', () => describeBackup('cp'))
describeWith(['rsync'], 'a backup of a running store by the steps of docs/operations.md', () =>
  describeBackup('rsync'),
)
