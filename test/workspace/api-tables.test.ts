import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { REPOSITORY } from '../support/server.ts'

type Types = ReadonlyMap<string, string>
/** The declared type of each property. */
type Properties = Readonly<Record<string, string>>

const PACKAGES = ['range-core', 'koa-range-stream', 'upload-store', 'koa-resumable-upload']

/** What is declared in the package and in those that it imports: `extends`, braces and all, by name. */
async function declarations(): Promise<Types> {
  const types = new Map<string, string>()
  for (const name of PACKAGES) {
    const directory = join(REPOSITORY, 'packages', name, 'dist')
    const files = (await readdir(directory, { recursive: true })).filter((file) => file.endsWith('.d.ts'))
    for (const file of files) {
      const text = await readFile(join(directory, file), 'utf8')
      const found = text.matchAll(/^export (?:interface (\w+)(.*?)^\}$|type (\w+) = (.*?);$)/gms)
      for (const [, interfaceName, body, alias, type] of found)
        types.set(interfaceName ?? alias ?? '', body ?? type ?? '')
    }
  }
  return types
}

/** The option types that a package's users can import. */
async function exportedOptions(name: string): Promise<string[]> {
  const directory = join(REPOSITORY, 'packages', name, 'dist')
  const entries = (await readdir(directory)).filter((file) => file === 'index.d.ts' || file === 's3.d.ts')
  const texts = await Promise.all(entries.map((file) => readFile(join(directory, file), 'utf8')))
  return [...new Set(texts.flatMap((text) => text.match(/\b\w+Options\b/g) ?? []))]
}

/** Reads `A & B`, `A, B`, `Omit<A, 'x'>` and `Pick<A, 'x' | 'y'>`. */
function propertiesOf(types: Types, expression: string): Properties {
  const parts = expression.split(/\s*[&,]\s*(?![^<]*>)/)
  if (parts.length > 1) return Object.assign({}, ...parts.map((part) => propertiesOf(types, part)))
  const [, utility, of = '', names = ''] = /^(Omit|Pick)<(\w+), (.*)>$/.exec(expression) ?? []
  if (utility === undefined) return propertiesOfName(types, expression)
  const named = new Set([...names.matchAll(/'(\w+)'/g)].map(([, name]) => name))
  const all = Object.entries(propertiesOf(types, of))
  return Object.fromEntries(all.filter(([name]) => named.has(name) === (utility === 'Pick')))
}

function propertiesOfName(types: Types, name: string): Properties {
  const declared = types.get(name)
  if (declared === undefined) throw new Error(`No package declares ${name}.`)
  const [, bases, body] = /^(?: extends (.*?))? \{\n(.*)$/s.exec(declared) ?? []
  if (body === undefined) return propertiesOf(types, declared)
  const own = [...body.matchAll(/^ {4}readonly (\w+)\??: (.*);$/gm)].map(([, key = '', type = '']) => [
    key,
    type.replace(/ \| undefined$/, ''),
  ])
  return { ...(bases === undefined ? {} : propertiesOf(types, bases)), ...Object.fromEntries(own) }
}

interface Table {
  /** The option type that it tells, less the options of those named after it. */
  readonly type: string
  readonly without: readonly string[]
  readonly rows: Properties
}

/** What a package's own documents say, one after the other. */
async function documentsOf(name: string): Promise<string> {
  const directory = join(REPOSITORY, 'packages', name)
  const files = (await readdir(directory)).filter((file) => file.endsWith('.md') && file !== 'CHANGELOG.md')
  return (await Promise.all(files.map((file) => readFile(join(directory, file), 'utf8')))).join('\n')
}

/** The tables of options, each with the line above it that names its type. */
async function tablesOf(name: string): Promise<Table[]> {
  const tables = (await documentsOf(name)).matchAll(
    /^(.*)\n\n\| option +\| type +\| default .*\n\|.*\n((?:\|.*\n)+)/gm,
  )
  return [...tables].map(([, caption = '', lines = '']) => {
    const [type = '', ...without] = [...caption.matchAll(/`(\w+Options)`/g)].map(([, option = '']) => option)
    const rows = [...lines.matchAll(/^\| `(\w+)` +\| `(.*?)` +\|/gm)].map(([, option, declared = '']) => [
      option,
      declared.replaceAll('\\|', '|'),
    ])
    expect(rows.length, `rows that can be read under: ${caption}`).toBe(lines.trim().split('\n').length)
    return { type, without, rows: Object.fromEntries(rows) }
  })
}

describe.each(PACKAGES)('the documents of %s', (name) => {
  it('has a table for each type of options', async () => {
    const told = (await tablesOf(name)).map(({ type }) => type)
    const types = await declarations()
    // A type that is made of others has nothing of its own to tell.
    const own = (await exportedOptions(name)).filter((type) => /\{\n/.test(types.get(type) ?? ''))
    expect(told.toSorted()).toEqual(own.toSorted())
  })

  it('names the options and their types as they are declared', async () => {
    const types = await declarations()
    for (const { type, without, rows } of await tablesOf(name)) {
      const others = new Set(without.flatMap((other) => Object.keys(propertiesOf(types, other))))
      const declared = Object.entries(propertiesOf(types, type)).filter(([option]) => !others.has(option))
      expect(Object.keys(rows).toSorted(), type).toEqual(declared.map(([option]) => option).toSorted())
      // Types of functions are told in short.
      for (const [option, exact] of declared)
        if (!exact.includes('=>')) expect(rows[option], `${type}.${option}`).toBe(exact)
        else expect(rows[option], `${type}.${option}`).toContain('=>')
    }
  })
})

describe('the README of upload-store', () => {
  it('names every method of a store', async () => {
    const readme = await readFile(join(REPOSITORY, 'packages/upload-store/README.md'), 'utf8')
    const [, rows = ''] = /^\| method .*\n\|.*\n((?:\|.*\n)+)/m.exec(readme) ?? []
    const told = [...rows.matchAll(/^\| `(\w+)\(/gm)].map(([, method]) => method)
    const declared = (await declarations()).get('UploadStore') ?? ''
    const methods = [...declared.matchAll(/^ {4}(\w+)\(/gm)].map(([, method]) => method)
    expect(told.toSorted()).toEqual(methods.toSorted())
  })
})
