import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { transformSync } from 'rolldown/utils'
import { onTestFinished } from 'vitest'
import { formWith } from '../support/app.ts'
import { REPOSITORY } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'

/** The code blocks of a document in `language`, in order. */
export async function blocks(document: string, language: string): Promise<string[]> {
  const text = await readFile(join(REPOSITORY, document), 'utf8')
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(
    ([, code = '']) => code,
  )
}

/** What samples of a README take from the sample above them, or from the app around them, in order. */
const AROUND: readonly (readonly [name: string, declaration: string])[] = [
  ['ctx', 'declare const ctx: Koa.Context'],
  ['aborts', 'const aborts = { inc() {} }'],
  ['path', "const path = 'clip.mp4'"],
  ['size', 'const size = 1'],
  ['etag', `const etag = '"a"'`],
  ['firstHalf', "const firstHalf = Readable.from([Buffer.from('hello ')])"],
  ['secondHalf', "const secondHalf = Readable.from([Buffer.from('world')])"],
  ['store', "const store = createFsStore('data', { maxFileSize: 1024 ** 2 })"],
  ['router', 'const router = new Router()'],
  ['app', 'const app = new Koa()'],
  ['Readable', "import { Readable } from 'node:stream'"],
  ['createReadStream', "import { createReadStream } from 'node:fs'"],
  ['Router', "import Router from '@koa/router'"],
  ['Koa', "import Koa from 'koa'"],
  ...['ContentStream', 'fileContent', 'serveContent'].map(
    (name) => [name, `import { ${name} } from 'koa-range-stream'`] as const,
  ),
  ...['createFsStore', 'uploadErrorStatus'].map(
    (name) => [name, `import { ${name} } from 'upload-store'`] as const,
  ),
]

/** A sample, with declarations in front of it of what it uses of the app around it. */
export function completeSample(code: string): string {
  return AROUND.reduce((complete, [name, declaration]) => {
    const isUsed = new RegExp(`(?<![.\\w'])${name}\\b(?![:'])`).test(complete)
    const isDeclared = new RegExp(
      `(?:const|function) (?:\\{[^}=]*)?\\b${name}\\b|import [^'\\n]*\\b${name}\\b`,
    ).test(complete)
    return isUsed && !isDeclared ? `${declaration}\n${complete}` : complete
  }, code)
}

/** Makes the packages of this workspace, and those of its tests, importable in a directory. */
export async function linkPackages(directory: string): Promise<void> {
  const modules = join(directory, 'node_modules')
  for (const folder of ['test', 'apps/server'])
    await linkModules(join(REPOSITORY, folder, 'node_modules'), modules)
}

/** Writes TypeScript as a newcomer's program, in a folder where the packages, `clip.mp4` and `videos` are. */
async function writeSnippet(sample: string): Promise<{ directory: string; script: string }> {
  const directory = await temporaryDirectory()
  await linkPackages(directory)
  const { code, errors } = transformSync('snippet.ts', completeSample(sample))
  if (errors.length > 0) throw new Error(`The sample is no TypeScript:\n${sample}`, { cause: errors[0] })
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

/** What a sample prints. */
export async function outputOf(code: string): Promise<string> {
  const { directory, script } = await writeSnippet(code)
  const { stdout } = await promisify(execFile)(process.execPath, [script], { cwd: directory })
  return stdout
}

/** The statuses of requests to a route for forms that bring no file in its field. */
export async function statusesWithoutFile(url: string): Promise<number[]> {
  const fields = new FormData()
  fields.append('title', 'no file')
  const bodies = [
    fields,
    formWith('other', 'clip.mp4', 'hello'),
    new URLSearchParams({ file: 'clip.mp4' }),
    new Blob(['{}'], { type: 'application/json' }),
    new Blob(['--b--'], { type: 'multipart/form-data; boundary=b' }),
    new Blob(['--b'], { type: 'multipart/form-data; boundary=b' }),
    null,
  ]
  const statuses: number[] = []
  for (const body of bodies) {
    const response = await fetch(url, { method: 'POST', body })
    await response.arrayBuffer()
    statuses.push(response.status)
  }
  return statuses
}

const LISTEN = "app.listen(0, '127.0.0.1', function () { console.log(this.address().port) })"

const ANY_LISTEN = /\bapp\.listen\([^)]*\)/

/** The URL at which a sample that listens answers, until the test has finished. It has a free port in place of its own. */
export async function listening(code: string, env: Record<string, string> = {}): Promise<string> {
  const onFreePort = ANY_LISTEN.test(code) ? code.replace(ANY_LISTEN, LISTEN) : `${code}\n${LISTEN}`
  const { directory, script } = await writeSnippet(onFreePort)
  const child = spawn(process.execPath, [script], {
    cwd: directory,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill()
    await exited
  })
  const [port] = await Promise.race([
    once(child.stdout, 'data'),
    exited.then(([status]) => {
      throw new Error(`The snippet ended with ${status}.`)
    }),
  ])
  return `http://127.0.0.1:${String(port).trim()}`
}
