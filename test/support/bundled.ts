import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

/**
 * The programs that tests start often. Node 20 takes 0.8 s of processor time to load the 500 files of the server, and 0.3 s
 * to load the same code from one file: over a run of `npm test` that is minutes. What depends on the files as they are
 * installed is tested with them: test/server/npm-start, test/server/page-files, test/pack.
 */
const PROGRAMS = {
  server: 'apps/server/dist/main.js',
  'resumable-upload': 'test/resumable/under-test.mjs',
} as const

type Program = keyof typeof PROGRAMS

const sourceOf = (name: Program): string => fileURLToPath(new URL(`../../${PROGRAMS[name]}`, import.meta.url))

/** The path of a program: of its bundle in a run of the tests, and of its own file where there is none. */
export function bundled(name: Program): string {
  const bundle = join(process.env['TEST_DIRECTORY_ON_DISK'] ?? tmpdir(), name, 'main.js')
  return existsSync(bundle) ? bundle : sourceOf(name)
}

/** Bundles what has been built into the temporary directory of the run. */
export async function bundlePrograms(directory: string): Promise<void> {
  // Coverage is of the files themselves.
  if (process.env['NODE_V8_COVERAGE'] !== undefined) return
  await Promise.all((Object.keys(PROGRAMS) as Program[]).map((name) => bundle(name, join(directory, name))))
}

async function bundle(name: Program, directory: string): Promise<void> {
  const build = await rolldown({
    input: { main: sourceOf(name) },
    platform: 'node',
    logLevel: 'silent',
    // Files that the code finds relative to its own module stay where they are.
    plugins: [
      {
        name: 'urls-of-modules',
        transform: (code, id) => code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href)),
      },
    ],
  })
  await build.write({ dir: directory, format: 'esm' })
  await build.close()
}
