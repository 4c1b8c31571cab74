import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { must, run, tool } from './command.ts'
import { type Packed, REPOSITORY } from './packages.ts'

export const JESTS: readonly string[] = ['29.7.0', '30.5.2']
/** The versions of Node on which Jest loads the packages. */
export const JEST_NODES: readonly string[] = ['20.19.0', '22.23.3', '24.21.0']

const BABEL = `module.exports = { plugins: ['@babel/plugin-transform-modules-commonjs'] }`

/** Installs Jest and the packages with a CommonJS build, and returns the failures of their tests on each Node. */
export async function checkJest(
  jest: string,
  tarballs: readonly Packed[],
  folder: string,
): Promise<readonly (readonly string[])[]> {
  const ours = tarballs.filter(({ commonjs }) => commonjs)
  const packages = Object.fromEntries(ours.map(({ name, tarball }) => [name, `file:${tarball}`]))
  const dependencies = {
    ...packages,
    '@babel/plugin-transform-modules-commonjs': '^7.0.0',
    jest,
    koa: '3.3.0',
    'koa-static': '5.0.0',
  }
  await cp(join(REPOSITORY, 'test/pack/samples/jest'), folder, { recursive: true })
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, dependencies, overrides: packages }),
  )
  await writeFile(join(folder, 'babel.config.js'), BABEL)
  await must('npm', ['install', '--no-audit', '--no-fund'], folder)
  const failures: string[][] = []
  for (const version of JEST_NODES) {
    const node = await tool(`node@${version}`, 'node')
    const { ok, output } = await run(node, ['node_modules/jest/bin/jest.js', '--ci'], folder)
    failures.push(ok ? [] : [output])
  }
  return failures
}
