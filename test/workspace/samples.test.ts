import { execFile } from 'node:child_process'
import { cp, readdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { REPOSITORY } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { blocks, completeSample, linkPackages } from './snippets.ts'

const STRICT = {
  target: 'es2022',
  module: 'nodenext',
  moduleDetection: 'force',
  lib: ['es2023'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  // koa-compress's declarations need newer types of Node. `npm run pack:check` checks ours.
  skipLibCheck: true,
  noEmit: true,
}

/** @koa/router 15 declares its types itself; apps with an older one have those of @types/koa__router. */
const CONFIGS = {
  'tsconfig.json': STRICT,
  'older-router.json': { ...STRICT, paths: { '@koa/router': ['./node_modules/@types/koa__router'] } },
}

async function documents(): Promise<string[]> {
  const folders = ['.', 'docs', 'apps/server']
  for (const name of await readdir(join(REPOSITORY, 'packages'))) folders.push(join('packages', name))
  const names = folders.map(async (folder) => {
    const files = await readdir(join(REPOSITORY, folder))
    return files.filter((file) => file.endsWith('.md')).map((file) => join(folder, file))
  })
  return (await Promise.all(names)).flat()
}

/** Writes each sample as a module, and returns how many there are. */
async function writeSamples(directory: string): Promise<number> {
  let count = 0
  for (const document of await documents()) {
    for (const [index, code] of (await blocks(document, 'ts')).entries()) {
      count++
      const name = `${document.replace(/\W/g, '-')}-${index + 1}.ts`
      await writeFile(join(directory, name), completeSample(code))
    }
  }
  return count
}

const TYPESCRIPT = createRequire(import.meta.url).resolve('typescript/package.json')

/** Returns what the compiler reports. */
function compile(directory: string, config: string): Promise<string> {
  const compiler = join(TYPESCRIPT, '../bin/tsc')
  return new Promise((resolve) => {
    const flags = [compiler, '-p', config, '--pretty', 'false']
    execFile(process.execPath, flags, { cwd: directory }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    )
  })
}

it('compiles the samples of all documents, and typed apps, under strict with the type packages that apps have', async () => {
  const directory = await temporaryDirectory()
  await linkPackages(directory)
  expect(await writeSamples(directory)).toBeGreaterThan(20)
  await cp(join(import.meta.dirname, 'typed-apps.ts'), join(directory, 'typed-apps.ts'))
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }')
  for (const [name, compilerOptions] of Object.entries(CONFIGS))
    await writeFile(join(directory, name), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  const reports = await Promise.all(Object.keys(CONFIGS).map((name) => compile(directory, name)))
  expect(reports.join('')).toBe('')
})

it('has no sample in JavaScript, which no compiler would check', async () => {
  const samples = await Promise.all((await documents()).map((document) => blocks(document, 'js')))
  expect(samples.flat()).toEqual([])
})
