import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileContent } from 'koa-range-stream'
import { describe, expect, it } from 'vitest'
import { useCoarseTimes } from '../support/coarse-times.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const KINDS = ['strong', 'size-mtime'] as const

describe.skipIf(process.platform !== 'linux')(
  'fileContent on a file system whose times are whole seconds',
  () => {
    it.each(KINDS.flatMap((etag) => [60, 1000, 1999, 2010].map((age) => [etag, age] as const)))(
      'gives two contents of one size and time no strong entity-tag in common (%s, %i ms later)',
      async (etag, age) => {
        const directory = await temporaryDirectory()
        const path = join(directory, 'clip.mp4')
        useCoarseTimes(directory, age)
        await writeFile(path, 'hello')
        const before = (await fileContent(path, { etag }))?.etag
        await writeFile(path, 'HELLO')
        const after = (await fileContent(path, { etag }))?.etag
        expect([before, after].map((tag) => tag?.slice(0, 2))).toEqual(['W/', 'W/'])
      },
    )

    it.each(KINDS)(
      'gives a strong entity-tag, unlike the weak one, 2 s after the last change (%s)',
      async (etag) => {
        const directory = await temporaryDirectory()
        const path = join(directory, 'clip.mp4')
        await writeFile(path, 'hello')
        const setAge = useCoarseTimes(directory, 1999)
        const weak = (await fileContent(path, { etag }))?.etag ?? ''
        setAge(2100)
        const strong = (await fileContent(path, { etag }))?.etag ?? ''
        expect(strong).toMatch(/^"[^"]+"$/)
        expect(weak.slice(2)).not.toBe(strong)
      },
    )
  },
)
