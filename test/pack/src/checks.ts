import { must, run } from './command.ts'
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

const NO_ESM = '--no-experimental-require-module'

/** Runs the compiled samples, and requires each module from CommonJS. Returns the failures. */
export async function runSamples(
  node: string,
  folder: string,
  { samples, commonjs = false }: Project,
): Promise<readonly string[]> {
  const failures: string[] = []
  // Older versions of Node cannot require ES modules, and have no such flag.
  const hasFlag = await must(node, ['-p', `process.allowedNodeEnvironmentFlags.has('${NO_ESM}')`], folder)
  const flags = commonjs && hasFlag === 'true' ? [NO_ESM] : []
  for (const file of [...samples.map((name) => `out/${name.replace(/ts$/, 'js')}`), 'out/require.cjs']) {
    const { ok, output } = await run(node, [...flags, file], folder)
    if (!ok) failures.push(`${file}: ${output}`)
  }
  return failures
}
