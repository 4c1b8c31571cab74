import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

/**
 * The programs that tests start often. Node 20 takes 0.8 s of processor time to load the 500 files of the server, and 0.3 s
 * to load the same code from one file, and 0.2 s with a cache of its bytecode: over a run of `npm test` that is minutes. What
 * depends on the files as they are installed is tested with them: test/server/npm-start, test/server/page-files, test/pack.
 */
const PROGRAMS = {
  server: 'apps/server/dist/main.js',
  'resumable-upload': 'test/resumable/under-test.mjs',
} as const

type Program = keyof typeof PROGRAMS

const sourceOf = (name: Program): string => fileURLToPath(new URL(`../../${PROGRAMS[name]}`, import.meta.url))

/** The path of a program: of its bundle in a run of the tests, and of its own file where there is none. */
export function bundled(name: Program): string {
  const directory = join(process.env['TEST_DIRECTORY_ON_DISK'] ?? tmpdir(), name)
  const bundle = ['main.cjs', 'main.js'].map((file) => join(directory, file)).find(existsSync)
  return bundle ?? sourceOf(name)
}

/** Bundles what has been built into the temporary directory of the run. */
export async function bundlePrograms(directory: string): Promise<void> {
  // Coverage is of the files themselves.
  if (process.env['NODE_V8_COVERAGE'] !== undefined) return
  const server = join(directory, 'server')
  await Promise.all([
    bundle('server', server, 'cjs'),
    bundle('resumable-upload', join(directory, 'resumable-upload'), 'esm'),
  ])
  await copyFile(fileURLToPath(new URL('compile-cache.cjs', import.meta.url)), join(server, 'main.cjs'))
  await writeCompileCache(join(server, 'main.cjs'), join(directory, 'compiled'))
}

/** Replaces `import()`, which a script cannot use without a warning. The bundle has it only of Node's own modules. */
const REQUIRED_BUILT_INS = {
  name: 'required-built-ins',
  renderChunk: (code: string) => code.replaceAll(/\bimport\(("node:\w+")\)/g, 'Promise.resolve(require($1))'),
}

/** @param format CommonJS can be started with a cache of its bytecode, and has no `await` at the top level. */
async function bundle(name: Program, directory: string, format: 'cjs' | 'esm'): Promise<void> {
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
      ...(format === 'cjs' ? [REQUIRED_BUILT_INS] : []),
    ],
  })
  const files = format === 'cjs' ? { entryFileNames: 'program.cjs', chunkFileNames: '[name]-[hash].cjs' } : {}
  await build.write({ dir: directory, format, ...files })
  await build.close()
}

/** Starts the server once for the cache of its bytecode. */
async function writeCompileCache(main: string, data: string): Promise<void> {
  const env = { PATH: process.env['PATH'], WRITE_COMPILE_CACHE: 'true' }
  const server = spawn(process.execPath, [main, '--port', '0', '--data', data, '--log-level', 'error'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(server, 'close')
  await Promise.race([once(server.stdout, 'data'), ended])
  server.kill()
  await ended
}
