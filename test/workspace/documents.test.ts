import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { REPOSITORY } from '../support/server.ts'
import { documents } from './documents.ts'

const textOf = (document: string) => readFile(join(REPOSITORY, document), 'utf8')

async function exists(path: string): Promise<boolean> {
  return stat(join(REPOSITORY, path)).then(
    () => true,
    () => false,
  )
}

/** The anchors that GitHub gives the headings of a document. */
function anchorsOf(text: string): Set<string> {
  const headings = text.replace(/^```.*?^```/gms, '').matchAll(/^#+ (.*)$/gm)
  return new Set(
    [...headings].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-'),
    ),
  )
}

/** What is wrong with a link in `document`, or `null`. */
async function faultOf(document: string, link: string): Promise<string | null> {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? document : join(dirname(document), path)
  if (!(await exists(target))) return `${document}: ${link}`
  if (anchor === undefined) return null
  const page = target.endsWith('.md') ? target : join(target, 'README.md')
  return anchorsOf(await textOf(page)).has(anchor) ? null : `${document}: ${link}`
}

/** What `files` of a package.json lists. */
function filesOf(manifest: unknown): string[] {
  if (typeof manifest !== 'object' || manifest === null || !('files' in manifest)) return []
  return Array.isArray(manifest.files) ? manifest.files.map(String) : []
}

/** Folders that `.gitignore` lists. */
const WRITTEN_BY_COMMANDS = new Set(['docs/api'])

describe('the documents', () => {
  it('link to files and headings that exist', async () => {
    const faults: (string | null)[] = []
    let links = 0
    for (const document of await documents()) {
      for (const [, link = ''] of (await textOf(document)).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^(?:https?|mailto):/.test(link)) continue
        links++
        faults.push(await faultOf(document, link))
      }
    }
    expect(links).toBeGreaterThan(50)
    expect(faults.filter((fault) => fault !== null)).toEqual([])
  })

  it.each([
    'packages/range-core',
    'packages/koa-range-stream',
    'packages/upload-store',
    'packages/koa-resumable-upload',
    'apps/server',
  ])('of %s link only to files that its tarball contains', async (folder) => {
    const manifest: unknown = JSON.parse(await textOf(join(folder, 'package.json')))
    const packed = new Set(['README.md', 'LICENSE', ...filesOf(manifest)])
    const own = (await documents()).filter((document) => dirname(document) === folder)
    const links = (await Promise.all(own.map(textOf))).flatMap((text) => [
      ...text.matchAll(/\]\(([^)\s#]+)[^)\s]*\)/g),
    ])
    const outside = links
      .map(([, link = '']) => link)
      .filter((link) => !/^https?:/.test(link) && !packed.has(link))
    expect(outside).toEqual([])
  })

  it.each(['docs/architecture.md', 'CONTRIBUTING.md'])('%s names files that exist', async (document) => {
    const named = [...(await textOf(document)).matchAll(/`((?:apps|packages|test|docs)\/[\w./-]+)`/g)]
    const paths = [...new Set(named.map(([, path = '']) => path))].filter(
      (path) => !WRITTEN_BY_COMMANDS.has(path),
    )
    expect(paths.length).toBeGreaterThan(5)
    const missing = await Promise.all(paths.map(async (path) => ((await exists(path)) ? [] : [path])))
    expect(missing.flat()).toEqual([])
  })

  it.each([
    ['docs/architecture.md', 140],
    ['README.md', 120],
    ['packages/range-core/README.md', 320],
    ['packages/koa-range-stream/README.md', 320],
    ['packages/upload-store/README.md', 320],
    ['packages/koa-resumable-upload/README.md', 320],
  ])('%s has %i lines at the most', async (document, most) => {
    expect((await textOf(document)).trimEnd().split('\n').length).toBeLessThanOrEqual(most)
  })

  it("apps/server's has every route that metrics know by name", async () => {
    const patterns = [
      ...(await textOf('apps/server/src/http/route-table.ts')).matchAll(/'(\/(?:[^']*[^'/])?)'/g),
    ]
    const [, table = ''] = /^## Routes\n(.*?)^## /ms.exec(await textOf('apps/server/README.md')) ?? []
    expect(patterns.length).toBeGreaterThan(10)
    const told = new Set(table.match(/\/[\w-]*(?:\/(?::\w+|\*))?/g))
    expect(patterns.map(([, pattern = '']) => pattern).filter((pattern) => !told.has(pattern))).toEqual([])
  })
})
