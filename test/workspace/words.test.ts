import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { REPOSITORY } from '../support/server.ts'
import { documents } from './documents.ts'
import { readTexts } from './source-texts.ts'

/** Words that mark a sentence to rewrite, and what to write in their place. */
const WORDS: readonly (readonly [word: RegExp, better: string])[] = [
  [
    /\b(?:whoever|somebody|someone|nobody)\b/gi,
    'name the actor: client, reader, writer, caller, process, operator',
  ],
  [
    /\bWho\b(?! (?:is|are|may|can)\b.*\?)/g,
    'name the actor: client, reader, writer, caller, process, operator',
  ],
  [/\b(?:is|are|was|were) none\b/gi, 'name the thing: "there is no upload", "is not an entity-tag"'],
  [/\banew\b/gi, 'again, from the start'],
  [/\bmend(?:s|ed|ing)?\b/gi, 'fix, repair'],
  [/\bfor ever\b/gi, 'forever, permanently, without a limit'],
  [/\blet(?:s|ting)? go\b/gi, 'release, close, evict'],
  [/\b(?:go|goes|going|gone|went) on\b/gi, 'resume, continue, proceed'],
  [/\btells? of\b/gi, 'report, describe'],
  [/\btold\b/gi, 'notified, informed, configured'],
  [/\b(?:take|takes|taken|taking|took) back\b/gi, 'retract, undo, withdraw'],
  [/\b(?:take|takes|taken|taking|took) in\b/gi, 'accept, receive, store'],
  [/\bat its turn\b/gi, 'when it is first in the queue'],
  [/\bwhat is there\b/gi, 'name the thing: the stored bytes, the existing object'],
  [/\bwhat has come\b/gi, 'the received bytes'],
  [/\bbehind the end\b/gi, 'past the end'],
]

async function filesBelow(folder: string): Promise<string[]> {
  const files = await readdir(join(REPOSITORY, folder), { recursive: true })
  return files
    .filter((file) => /\.(?:ts|css)$/.test(file) && !/(?:^|\/)(?:node_modules|dist)\//.test(file))
    .map((file) => join(folder, file))
}

async function sources(): Promise<string[]> {
  const folders = ['apps/server/web']
  for (const group of ['packages', 'apps'])
    for (const name of await readdir(join(REPOSITORY, group))) folders.push(join(group, name, 'src'))
  const files = await Promise.all(folders.map(filesBelow))
  return files.flat()
}

async function tests(): Promise<string[]> {
  return [...(await filesBelow('test')), ...(await filesBelow('apps/bench/test'))]
}

/** Returns `file:line: "word" → better word` for each listed word in `text`. */
function listedWords(file: string, line: number, text: string): string[] {
  return WORDS.flatMap(([word, better]) =>
    [...text.matchAll(word)].map((match) => {
      const above = text.slice(0, match.index).split('\n').length - 1
      return `${file}:${line + above}: "${match[0]}" → ${better}`
    }),
  )
}

async function findIn(files: readonly string[], kinds: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    files.map(async (file) => {
      const texts = readTexts(await readFile(join(REPOSITORY, file), 'utf8'))
      return texts
        .filter(({ kind }) => kinds.includes(kind))
        .flatMap(({ line, text }) => listedWords(file, line, text))
    }),
  )
  return found.flat().sort()
}

/** The text of a Markdown document, with its code emptied so that line numbers stay. */
function prose(text: string): string {
  const blank = (code: string) => code.replace(/[^\n]/g, '')
  return text.replace(/^```[\s\S]*?^```/gm, blank).replace(/`[^`\n]*`/g, blank)
}

describe('the words of WORDS', () => {
  it('are in no comment and in no text of the packages, the server, its page and the benchmarks', async () => {
    expect(await findIn(await sources(), ['comment', 'string', 'title'])).toEqual([])
  })

  it('are in no document', async () => {
    const found = await Promise.all(
      (await documents()).map(async (file) =>
        listedWords(file, 1, prose(await readFile(join(REPOSITORY, file), 'utf8'))),
      ),
    )
    expect(found.flat().sort()).toEqual([])
  })

  it('are in no title of a test', async () => {
    expect(await findIn(await tests(), ['title'])).toEqual([])
  })
})

describe('the reader of texts', () => {
  it('finds comments, strings and templates, and skips regular expressions and expressions in templates', () => {
    const placeholder = '$' + '{f({ c: `y` })}'
    const source = [
      "const a = 'it\\'s' // whoever",
      `const b = /["'\`]/.test(a) ? \`x ${placeholder} z\` : 1 / 2 /* told`,
      'anew */',
    ].join('\n')
    expect(readTexts(source)).toEqual([
      { kind: 'string', line: 1, text: "it\\'s" },
      { kind: 'comment', line: 1, text: '// whoever' },
      { kind: 'string', line: 2, text: 'x ' },
      { kind: 'string', line: 2, text: 'y' },
      { kind: 'string', line: 2, text: ' z' },
      { kind: 'comment', line: 2, text: '/* told\nanew */' },
    ])
  })

  it('reports the titles of tests as titles', () => {
    const titles = readTexts("describe('a', () => { it.each(['b'])('c %s', f); it.skipIf(d('e'))(\n  `f`) })")
      .filter(({ kind }) => kind === 'title')
      .map(({ text }) => text)
    expect(titles).toEqual(['a', 'c %s', 'f'])
  })

  it('reports the line and the better word of a planted word', () => {
    expect(listedWords('a.ts', 3, 'x\nWhoever reads')).toEqual([
      expect.stringMatching(/^a\.ts:4: "Whoever" → name the actor/),
    ])
  })
})
