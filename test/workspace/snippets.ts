import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { REPOSITORY } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'

/** The code blocks of a document in `language`, in order. */
export async function blocks(document: string, language: string): Promise<string[]> {
  const text = await readFile(join(REPOSITORY, document), 'utf8')
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(
    ([, code = '']) => code,
  )
}

/** Writes code as a newcomer's file, in a folder where the packages, `clip.mp4` and `videos` are. */
async function writeSnippet(code: string): Promise<{ directory: string; script: string }> {
  const directory = await temporaryDirectory()
  const modules = join(directory, 'node_modules')
  for (const folder of ['test', 'apps/server'])
    await linkModules(join(REPOSITORY, folder, 'node_modules'), modules)
  await cp(join(REPOSITORY, 'apps/server/assets/video/sample.mp4'), join(directory, 'clip.mp4'))
  await cp(join(REPOSITORY, 'apps/server/assets/video'), join(directory, 'videos'), { recursive: true })
  const script = join(directory, 'snippet.mjs')
  await writeFile(script, code)
  return { directory, script }
}

async function linkModules(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) {
    if (name.startsWith('.')) continue
    if (name.startsWith('@')) await linkModules(join(from, name), join(to, name))
    else await linkUnlessThere(join(from, name), join(to, name))
  }
}

async function linkUnlessThere(target: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await symlink(target, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

/** What a snippet prints. */
export async function outputOf(code: string): Promise<string> {
  const { directory, script } = await writeSnippet(code)
  const { stdout } = await promisify(execFile)(process.execPath, [script], { cwd: directory })
  return stdout
}

const LISTEN = "app.listen(0, '127.0.0.1', function () { console.log(this.address().port) })"

/** The URL at which a snippet that ends by listening answers, until the test has finished. */
export async function listening(code: string, env: Record<string, string> = {}): Promise<string> {
  const { directory, script } = await writeSnippet(`${code.replace(/^app\.listen\(.*$/m, '')}\n${LISTEN}`)
  const child = spawn(process.execPath, [script], {
    cwd: directory,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill())
  const [port] = await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(([status]) => {
      throw new Error(`The snippet ended with ${status}.`)
    }),
  ])
  return `http://127.0.0.1:${String(port).trim()}`
}
