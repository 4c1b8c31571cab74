import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { must, pnpm } from './command.ts'
import { type Packed, REPOSITORY } from './packages.ts'

/** What a stranger has in a folder: an app over some of the packages. */
export interface Project {
  readonly name: string
  readonly manager: 'npm' | 'pnpm'
  /** Files of ../samples that are run; what they import is in `helpers`. */
  readonly samples: readonly string[]
  readonly helpers?: readonly string[]
  /** What is imported, and also required from CommonJS. */
  readonly modules: readonly string[]
  readonly dependencies: Readonly<Record<string, string>>
  /** Whether it runs on Node 20.0, too: all of its modules have a CommonJS build. */
  readonly commonjs?: boolean
  /** Packages that an override replaces by one of ours. */
  readonly overridden?: Readonly<Record<string, string>>
}

const KOA_3 = { koa: '3.3.0', '@types/koa': '3.0.3' }
const KOA_2 = { koa: '2.15.0', '@types/koa': '2.15.0' }
const S3 = {
  '@aws-sdk/client-s3': '3.1169.0',
  '@aws-sdk/s3-request-presigner': '3.1169.0',
  'hash-wasm': '4.13.0',
}

function of(module: string, dependencies: Readonly<Record<string, string>>, name: string = module): Project {
  const withStore = ['koa-resumable-upload', 'koa-range-server'].includes(module)
  const modules = withStore ? [module, 'upload-store'] : [module]
  const commonjs = ['range-core', 'koa-range-stream'].includes(module)
  return {
    name,
    manager: 'npm',
    samples: [`${module.replace('/', '-')}.ts`],
    modules,
    dependencies,
    commonjs,
  }
}

/** An app that has koa-range itself, and below lws-range, replaced by an override. */
function overriding(manager: 'npm' | 'pnpm'): Project {
  return {
    name: `koa-range overridden by ${manager}`,
    manager,
    samples: ['koa-range.ts', 'koa-range-commonjs.cts', 'koa-range-lws.ts'],
    helpers: ['koa-range-cases.ts'],
    modules: ['koa-range'],
    dependencies: {
      ...KOA_2,
      'koa-static': '5.0.0',
      '@types/koa-static': '4.0.4',
      'koa-static-cache': '5.1.4',
      '@types/koa-static-cache': '5.1.4',
      lws: '4.2.1',
      'lws-range': '4.0.1',
      'lws-static': '3.1.1',
    },
    commonjs: true,
    overridden: { 'koa-range': 'koa-range-stream' },
  }
}

const APART: readonly Project[] = [
  of('range-core', {}),
  of('koa-range-stream', KOA_3, 'koa-range-stream, Koa 3.3'),
  of('koa-range-stream', KOA_2, 'koa-range-stream, Koa 2.15'),
  of('upload-store', {}),
  of('upload-store/s3', S3),
  of('koa-resumable-upload', KOA_3, 'koa-resumable-upload, Koa 3.3'),
  of('koa-resumable-upload', KOA_2, 'koa-resumable-upload, Koa 2.15'),
  of('koa-range-server', { '@types/koa': KOA_3['@types/koa'] }),
]

const unique = <T>(items: readonly T[]) => [...new Set(items)]

/** Where a package that uses what it does not declare is found out: pnpm gives each package its own dependencies only. */
const TOGETHER: Project = {
  name: 'all of them',
  manager: 'pnpm',
  samples: unique(APART.flatMap(({ samples }) => samples)),
  modules: unique(APART.flatMap(({ modules }) => modules)),
  dependencies: { ...KOA_3, ...S3 },
}

export const PROJECTS: readonly Project[] = [...APART, TOGETHER, overriding('npm'), overriding('pnpm')]

export type Resolution = 'bundler' | 'nodenext'

const COMPILER = {
  target: 'es2022',
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  types: ['node'],
  rootDir: '.',
}
/** A server's lib in the one, and a browser's in the other: declarations have to do with both. */
const TSCONFIGS: Readonly<Record<Resolution, object>> = {
  nodenext: {
    compilerOptions: { ...COMPILER, module: 'nodenext', lib: ['es2023'], outDir: 'out' },
    include: ['*.ts', '*.cts'],
  },
  bundler: {
    compilerOptions: {
      ...COMPILER,
      module: 'esnext',
      moduleResolution: 'bundler',
      esModuleInterop: true,
      noEmit: true,
    },
    include: ['*.ts'],
  },
}
export const RESOLUTIONS: readonly Resolution[] = ['bundler', 'nodenext']

/** Makes the project in a new folder, and installs it. */
export async function create(project: Project, tarballs: readonly Packed[], folder: string): Promise<void> {
  // An override is how pnpm, and npm, take what a tarball depends on from a tarball as well.
  const ours = Object.fromEntries(tarballs.map(({ name, tarball }) => [name, `file:${tarball}`]))
  for (const [name, by] of Object.entries(project.overridden ?? {})) ours[name] = `${ours[by]}`
  const named = project.modules.map((name) => name.replace('/s3', ''))
  const dependencies = {
    ...project.dependencies,
    '@types/node': '20.19.43',
    ...Object.fromEntries(Object.entries(ours).filter(([name]) => named.includes(name))),
  }
  await mkdir(folder)
  const description = { private: true, type: 'module', dependencies, overrides: ours }
  await writeFile(join(folder, 'package.json'), JSON.stringify(description))
  // As the README of koa-range-server says: pnpm stops at install scripts that are neither allowed nor denied.
  const settings = { overrides: ours, hoist: false, allowBuilds: { koffi: false } }
  await writeFile(join(folder, 'pnpm-workspace.yaml'), JSON.stringify(settings))
  for (const sample of [...project.samples, ...(project.helpers ?? [])])
    await cp(join(REPOSITORY, 'test/pack/samples', sample), join(folder, sample))
  await writeFile(join(folder, 'require.cts'), requiring(project.modules))
  for (const [name, config] of Object.entries(TSCONFIGS)) {
    await writeFile(join(folder, `${name}.json`), JSON.stringify(config))
  }
  if (project.manager === 'npm') await must('npm', ['install', '--no-audit', '--no-fund'], folder)
  else await must(await pnpm(), ['install'], folder)
}

function requiring(modules: readonly string[]): string {
  const lines = modules.map(
    (name, index) => `import module${index} = require('${name}')
if (Object.keys(module${index}).length === 0) throw new Error('${name} exports nothing to CommonJS')`,
  )
  return lines.join('\n')
}
