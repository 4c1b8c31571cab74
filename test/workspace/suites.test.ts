import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ON_S3, SHARING_CEPH, SLOW, SLOW_ON_S3 } from '../suites.ts'
import { REPOSITORY } from '../support/server.ts'

it('the lists of tests name only files that exist', async () => {
  const files = [...Object.keys(SLOW), ...ON_S3, ...Object.keys(SLOW_ON_S3), ...SHARING_CEPH]
  const missing: string[] = []
  for (const file of files) await stat(join(REPOSITORY, file)).catch(() => missing.push(file))
  expect(missing).toEqual([])
})

it('every test of test/on-s3 is in a list, because no other project runs it', async () => {
  const names = await readdir(join(REPOSITORY, 'test/on-s3'))
  const tests = names.filter((name) => name.endsWith('.test.ts')).map((name) => `test/on-s3/${name}`)
  const listed = [...ON_S3, ...Object.keys(SLOW_ON_S3)]
  expect(tests.filter((test) => !listed.includes(test))).toEqual([])
})

it('CONTRIBUTING.md lists the slow tests with what takes their time', async () => {
  const text = await readFile(join(REPOSITORY, 'CONTRIBUTING.md'), 'utf8')
  const rows = (list: Readonly<Record<string, string>>, where: string) =>
    Object.entries(list).map(([file, reason]) => `| \`${file}\`${where} | ${reason} |`)
  const expected = [...rows(SLOW, ''), ...rows(SLOW_ON_S3, ' on S3')]
  expect(text.match(/^\| `test\/.+\.test\.ts`.*$/gm)).toEqual(expected)
})
