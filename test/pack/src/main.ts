import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compile, runSamples } from './checks.ts'
import { mapByTwo, tool } from './command.ts'
import { checkJest, JEST_NODES, JESTS } from './jest.ts'
import { attw, type Packed, pack, publint, wrongFiles } from './packages.ts'
import { create, PROJECTS, type Project, RESOLUTIONS } from './projects.ts'
import { runServer } from './server.ts'
import { BUDGETS, sizeOf } from './size.ts'

const TYPESCRIPTS = ['5.8.3', '5.9.3', '6.0.3', '7.0.2']
/** Only the packages with a CommonJS build run on it. */
const OLDEST = '20.0.0'
const NODES = [OLDEST, '20.19.0', '22.23.3', '24.21.0', '26.10.0']

const failures: string[] = []
/** A cell of the table; what failed goes below it. */
function cell(what: string, faults: readonly string[], text = '✓'): string {
  failures.push(...faults.map((fault) => `${what}: ${fault}`))
  return faults.length === 0 ? text : '✗'
}

const short = (version: string) => version.split('.').slice(0, 2).join('.')
const row = (cells: readonly string[]) => console.log(`| ${cells.join(' | ')} |`)
function head(columns: readonly string[]): void {
  console.log('')
  row(columns)
  row(columns.map(() => '---'))
}

async function checkPackage(packed: Packed): Promise<readonly string[]> {
  const { name, tarball } = packed
  return [
    name,
    `${Math.ceil(statSync(tarball).size / 1000)} kB`,
    cell(`${name}: contents`, await wrongFiles(packed)),
    cell(`${name}: publint`, await publint(tarball)),
    cell(`${name}: attw`, await attw(packed)),
  ]
}

async function checkProject(project: Project, tarballs: readonly Packed[], folder: string) {
  const { name, manager } = project
  await create(project, tarballs, folder)
  const cells = [name, manager]
  const others = new Set<string>()
  for (const version of TYPESCRIPTS) {
    const tsc = await tool(`typescript@${version}`, 'tsc')
    const faults: string[] = []
    for (const resolution of RESOLUTIONS) {
      const found = await compile(tsc, folder, resolution)
      faults.push(...found.ours.map((line) => `${resolution}: ${line}`))
      for (const other of found.others) others.add(other)
    }
    cells.push(cell(`${name}: TypeScript ${version}`, faults))
  }
  for (const version of NODES) {
    const node = await tool(`node@${version}`, 'node')
    const runs = version !== OLDEST || project.commonjs === true
    cells.push(runs ? cell(`${name}: Node ${version}`, await runSamples(node, folder, project)) : '–')
  }
  return [...cells, [...others].sort().join(', ') || '–']
}

async function checkSize([name, budget]: readonly [string, number], directory: string): Promise<void> {
  const project = PROJECTS.findIndex(({ modules }) => modules.includes(name))
  const size = await sizeOf(name, join(directory, String(project)))
  const faults = size > budget ? [`${size} bytes are more than ${budget}`] : []
  row([name, cell(`${name}: size`, faults, `${size} B`), `${budget} B`])
}

async function jestRow(jest: string, tarballs: readonly Packed[], directory: string) {
  const found = await checkJest(jest, tarballs, join(directory, `jest-${jest}`))
  return [jest, ...found.map((faults, index) => cell(`Jest ${jest}, Node ${JEST_NODES[index]}`, faults))]
}

async function checkProjects(tarballs: readonly Packed[], directory: string, only: string): Promise<void> {
  const projects = PROJECTS.filter(({ name }) => name.includes(only))
  if (projects.length === 0) return
  const typescripts = TYPESCRIPTS.map((version) => `TS ${short(version)}`)
  const nodes = NODES.map((version) => `Node ${short(version)}`)
  head(['project', 'by', ...typescripts, ...nodes, "faults in others' types"])
  const check = (project: Project) =>
    checkProject(project, tarballs, join(directory, String(PROJECTS.indexOf(project))))
  for (const cells of await mapByTwo(projects, check)) row(cells)
}

/** @param only a part of the names of the projects to check, or `jest`; '' checks everything */
async function main(directory: string, only: string): Promise<void> {
  const began = Date.now()
  const tarballs = await pack(directory)
  if (only === '') {
    head(['package', 'packed', 'contents', 'publint', 'attw'])
    for (const cells of await mapByTwo(tarballs, checkPackage)) row(cells)
  }

  await checkProjects(tarballs, directory, only)
  if ('jest'.includes(only)) {
    head(['Jest', ...JEST_NODES.map((version) => `Node ${short(version)}`)])
    for (const cells of await mapByTwo(JESTS, (jest) => jestRow(jest, tarballs, directory))) row(cells)
  }
  if (only !== '') return

  head(['minified, brotli', 'has', 'may have'])
  for (const budget of Object.entries(BUDGETS)) await checkSize(budget, directory)

  const faults = await runServer(tarballs, join(directory, 'empty'))
  console.log(`\nnpx koa-range-server starts, serves and stops: ${cell('npx koa-range-server', faults)}`)
  console.log(`${Math.round((Date.now() - began) / 1000)} s`)
}

const directory = mkdtempSync(join(tmpdir(), 'pack-'))
try {
  await main(directory, process.argv[2] ?? '')
} finally {
  rmSync(directory, { recursive: true, maxRetries: 3 })
}
for (const failure of failures) console.error(`\n${failure}`)
process.exitCode = failures.length === 0 ? 0 : 1
