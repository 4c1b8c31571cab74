import { run } from './command.ts'
import { PACKAGES } from './packages.ts'
import type { Project, Resolution } from './projects.ts'

/** What TypeScript found wrong with us, and in whose declarations it found fault otherwise. */
export interface TypeFaults {
  readonly ours: readonly string[]
  readonly others: readonly string[]
}

/** Compiles a project; only `nodenext` writes JavaScript. */
export async function compile(tsc: string, folder: string, resolution: Resolution): Promise<TypeFaults> {
  const { ok, output } = await run(tsc, ['-p', `${resolution}.json`, '--pretty', 'false'], folder)
  if (ok) return { ours: [], others: [] }
  const faults = output.split('\n').filter((line) => /\berror TS\d+:/.test(line))
  if (faults.length === 0) return { ours: [output], others: [] }
  const owners = faults.map((line) => ({ line, owner: ownerOf(line) }))
  return {
    ours: owners.filter(({ owner }) => owner === null).map(({ line }) => line),
    others: owners.flatMap(({ owner }) => owner ?? []),
  }
}

/** The package of somebody else in whose declarations a fault is, or `null` where it is in ours or in the sample. */
function ownerOf(line: string): string | null {
  const path = line.slice(0, line.indexOf('('))
  const [, owner] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path) ?? []
  return owner === undefined || PACKAGES.some(({ name }) => name === owner) ? null : owner
}

/** Runs what was compiled, and requires each module from CommonJS; gives what failed. */
export async function runSamples(
  node: string,
  folder: string,
  { samples }: Project,
): Promise<readonly string[]> {
  const failures: string[] = []
  for (const file of [...samples.map((name) => `out/${name}.js`), 'out/require.cjs']) {
    const { ok, output } = await run(node, [file], folder)
    if (!ok) failures.push(`${file}: ${output}`)
  }
  return failures
}
