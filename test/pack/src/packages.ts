import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { must, pnpm, run, tool } from './command.ts'

export const REPOSITORY: string = fileURLToPath(new URL('../../..', import.meta.url))

export interface Package {
  readonly name: string
  readonly folder: string
  /** What it has beside its sources and what they are compiled to. */
  readonly files: readonly string[]
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
  ...['range-core', 'koa-range-stream', 'koa-resumable-upload'].map((name) => ({
    name,
    folder: `packages/${name}`,
    files: EVERY,
  })),
  { name: 'upload-store', folder: 'packages/upload-store', files: [...EVERY, 'DAMAGE.md', 'S3.md'] },
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
export async function wrongFiles({ folder, files, tarball }: Packed): Promise<readonly string[]> {
  const sources = await must('git', ['ls-files', 'src'], join(REPOSITORY, folder))
  const expected = new Set(files)
  for (const source of sources.split('\n')) {
    expected.add(source)
    if (source.endsWith('.d.ts')) continue
    const result = source.replace(/^src\//, 'dist/').replace(/\.ts$/, '')
    for (const ending of ['.js', '.js.map', '.d.ts', '.d.ts.map']) expected.add(`${result}${ending}`)
  }
  const listed = await must('tar', ['-tzf', tarball], REPOSITORY)
  const found = new Set(listed.split('\n').map((path) => path.replace(/^package\//, '')))
  return [
    ...[...expected].filter((path) => !found.has(path)).map((path) => `${path} is missing`),
    ...[...found].filter((path) => !expected.has(path)).map((path) => `${path} should not be there`),
  ]
}

/** What publint has to say. */
export async function publint(tarball: string): Promise<readonly string[]> {
  const program = await tool('publint@0.3.25', 'publint')
  const { ok, output } = await run(program, ['run', tarball, '--strict'], REPOSITORY)
  return ok ? [] : [output]
}

/** Whether TypeScript finds the types wherever Node finds the code. */
export async function attw(tarball: string): Promise<readonly string[]> {
  const program = await tool('@arethetypeswrong/cli@0.18.5', 'attw')
  const { ok, output } = await run(program, [tarball, '--profile', 'esm-only', '--no-emoji'], REPOSITORY)
  return ok ? [] : [output]
}
