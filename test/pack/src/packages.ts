import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { must, pnpm, run, tool } from './command.ts'

export const REPOSITORY: string = fileURLToPath(new URL('../../..', import.meta.url))

export interface Package {
  readonly name: string
  readonly folder: string
  /** What it has beside its sources and what they are compiled to. */
  readonly files: readonly string[]
  /** Whether it has a CommonJS build, too. */
  readonly commonjs?: boolean
}

export interface Packed extends Package {
  readonly tarball: string
}

const EVERY = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']
const compressed = (name: string) => [name, `${name}.br`, `${name}.gz`]
const PAGE = [
  ...['page.js', 'page.css', 'controls.js', 'tus.js'].flatMap(compressed),
  'favicon.svg',
  'sign-in.css',
].map((name) => `dist/page/${name}`)

export const PACKAGES: readonly Package[] = [
  ...['range-core', 'koa-range-stream'].map((name) => ({
    name,
    folder: `packages/${name}`,
    files: [
      ...EVERY,
      'dist/cjs/package.json',
      ...(name === 'koa-range-stream' ? ['RECIPES.md', 'SENDFILE.md'] : []),
    ],
    commonjs: true,
  })),
  {
    name: 'koa-resumable-upload',
    folder: 'packages/koa-resumable-upload',
    files: [...EVERY, 'RECIPES.md'],
  },
  {
    name: 'upload-store',
    folder: 'packages/upload-store',
    files: [...EVERY, 'DAMAGE.md', 'ERRORS.md', 'S3.md'],
  },
  {
    name: 'koa-range-server',
    folder: 'apps/server',
    files: [...EVERY, ...PAGE, 'assets/video/sample.mp4'],
  },
]

/** Makes the tarballs that would be published, by the pnpm that publishes them. */
export async function pack(directory: string): Promise<readonly Packed[]> {
  const packed: Packed[] = []
  for (const described of PACKAGES) {
    const flags = ['pack', '--json', '--pack-destination', directory]
    const output = await must(await pnpm(), flags, join(REPOSITORY, described.folder))
    const { filename } = JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1))
    packed.push({ ...described, tarball: join(directory, String(filename).replace(/^.*\//, '')) })
  }
  return packed
}

/**
 * What is wrong with a tarball's list of files: a committed source has to be in it with its four results, and nothing that has no
 * committed source, as a test, a build's state, or what was compiled from a source that is gone.
 */
export async function wrongFiles({
  folder,
  files,
  commonjs = false,
  tarball,
}: Packed): Promise<readonly string[]> {
  const sources = await must('git', ['ls-files', 'src'], join(REPOSITORY, folder))
  const expected = new Set(files)
  for (const source of sources.split('\n')) {
    expected.add(source)
    if (source.endsWith('.d.ts')) continue
    for (const result of resultsOf(source, commonjs)) expected.add(result)
  }
  const listed = await must('tar', ['-tzf', tarball], REPOSITORY)
  const found = new Set(listed.split('\n').map((path) => path.replace(/^package\//, '')))
  return [
    ...[...expected].filter((path) => !found.has(path)).map((path) => `${path} is missing`),
    ...[...found].filter((path) => !expected.has(path)).map((path) => `${path} should not be there`),
  ]
}

/** A `.cts` source is of the CommonJS build alone. */
function resultsOf(source: string, commonjs: boolean): readonly string[] {
  const [, path = '', kind = ''] = /^src\/(.*)\.(c?)ts$/.exec(source) ?? []
  const folders = [...(kind === 'c' ? [] : ['dist']), ...(commonjs ? ['dist/cjs'] : [])]
  const code = `.${kind}js`
  const types = `.d.${kind}ts`
  return folders.flatMap((folder) =>
    [code, `${code}.map`, types, `${types}.map`].map((ending) => `${folder}/${path}${ending}`),
  )
}

/** What publint has to say. */
export async function publint(tarball: string): Promise<readonly string[]> {
  const program = await tool('publint@0.3.25', 'publint')
  const { ok, output } = await run(program, ['run', tarball, '--strict'], REPOSITORY)
  return ok ? [] : [output]
}

/** Whether TypeScript finds the types wherever Node finds the code. */
export async function attw({ tarball, commonjs = false }: Packed): Promise<readonly string[]> {
  const program = await tool('@arethetypeswrong/cli@0.18.5', 'attw')
  const profile = commonjs ? 'node16' : 'esm-only'
  const { ok, output } = await run(program, [tarball, '--profile', profile, '--no-emoji'], REPOSITORY)
  return ok ? [] : [output]
}
