import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'

export interface Outcome {
  readonly ok: boolean
  readonly stdout: string
  readonly output: string
}

/** What `npm run` tells its children would send a second npm into this workspace. */
const { npm_config_local_prefix: _, ...env } = process.env

/** Runs a program to its end, ten minutes at most; `output` is what it wrote to both streams. */
export function run(program: string, flags: readonly string[], cwd: string): Promise<Outcome> {
  const options = { cwd, env, timeout: 600_000, maxBuffer: 2 ** 26 }
  return new Promise((resolve) => {
    execFile(program, flags, options, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`.trim()
      resolve({
        ok: error === null,
        stdout: stdout.trim(),
        output: error === null ? output : output || error.message,
      })
    })
  })
}

/** Runs a program whose failure leaves nothing to check, and gives its standard output. */
export async function must(program: string, flags: readonly string[], cwd: string): Promise<string> {
  const { ok, stdout, output } = await run(program, flags, cwd)
  if (!ok) throw new Error(`${program} ${flags.join(' ')} (in ${cwd}):\n${output}`)
  return stdout
}

/**
 * The path of a program of an npm package, which npx fetches once. Nothing of it is in this workspace's lockfile, so that
 * `npm test` from an empty clone does not pay for it.
 */
export function tool(spec: string, program: string): Promise<string> {
  // Away from the workspace, whose own version npx would prefer.
  const find = () => must('npx', ['--yes', '-p', spec, '-c', `command -v ${program}`], tmpdir())
  const path = tools.get(spec) ?? find()
  tools.set(spec, path)
  return path
}

/** npx takes a second even where it fetches nothing. */
const tools = new Map<string, Promise<string>>()

/** The pnpm that publishes, of the version that installs this workspace. */
export const pnpm = (): Promise<string> => tool('pnpm@12.21.0', 'pnpm')

/** Maps with two at a time: that many cores the smallest machine of CI has. */
export async function mapByTwo<T, R>(items: readonly T[], map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const waiting = [...items.entries()]
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, item] = next
      results[index] = await map(item)
    }
  }
  await Promise.all([lane(), lane()])
  return results
}
