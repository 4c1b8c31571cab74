import { describe, expect, it } from 'vitest'
import { parsePage } from '../../packages/upload-store/dist/s3/client/pages.js'

const asked = { Bucket: 'tests', Prefix: 'p/', StartAfter: 'p/a' }
const date = new Date(1000)
const entry = (Key: string) => ({ Key, Size: 1, LastModified: date })
const page = {
  $metadata: {},
  Name: 'tests',
  Prefix: 'p/',
  KeyCount: 2,
  IsTruncated: true,
  Contents: [entry('p/b'), entry('p/c')],
}

describe('a page of a list', () => {
  it('is the names that it lists', () => {
    const listed = ['p/b', 'p/c'].map((name) => ({ name, size: 1, written: 1000 }))
    expect(parsePage(page, asked)).toEqual({ listed, isLast: false })
    expect(parsePage({ ...page, IsTruncated: false }, asked)).toEqual({ listed, isLast: true })
  })

  it('may be empty, of the whole bucket, or of the bucket behind an access point', () => {
    const { Contents, Prefix, ...empty } = { ...page, KeyCount: 0, IsTruncated: false }
    expect(parsePage(empty, { ...asked, Prefix: '' })).toEqual({ listed: [], isLast: true })
    const Bucket = 'arn:aws:s3:us-east-1:123456789012:accesspoint/films'
    expect(parsePage(page, { ...asked, Bucket })).toMatchObject({ isLast: false })
  })

  it('lists names in the order of their UTF-8 bytes', () => {
    // In UTF-16 the second one comes first.
    const Contents = [entry('p/\u{ff5e}'), entry('p/\u{1f600}')]
    expect(parsePage({ ...page, Contents }, asked).listed).toHaveLength(2)
  })

  it.each([
    ['it has no bucket', { Name: undefined }],
    ['it is of another bucket', { Name: 'other' }],
    ['it is of another prefix', { Prefix: 'q/' }],
    ['it has no prefix', { Prefix: undefined }],
    ['it has no number of names', { KeyCount: undefined }],
    ['it has fewer names than it says', { KeyCount: 3 }],
    ['it has more names than it says', { KeyCount: 1 }],
    ['it does not say whether more names follow', { IsTruncated: undefined }],
    ['it says that more names follow, and has none', { KeyCount: 0, Contents: undefined }],
    ['it has names of another prefix', { Contents: [entry('p/b'), entry('q/c')] }],
    ['it has names out of order', { Contents: [entry('p/c'), entry('p/b')] }],
    ['it has a name twice', { Contents: [entry('p/b'), entry('p/b')] }],
    ['it begins with the name that it was to come after', { Contents: [entry('p/a'), entry('p/b')] }],
    ['it has an entry without a name', { Contents: [entry('p/b'), { Size: 1, LastModified: date }] }],
    ['it has an entry without a size', { Contents: [entry('p/b'), { Key: 'p/c', LastModified: date }] }],
    ['it has an entry without a date', { Contents: [entry('p/b'), { Key: 'p/c', Size: 1 }] }],
  ])('is rejected if %s', (_, change) => {
    const changed = Object.entries({ ...page, ...change }).filter(([, value]) => value !== undefined)
    expect(() => parsePage({ $metadata: {}, ...Object.fromEntries(changed) }, asked)).toThrow(
      'does not match its request',
    )
  })
})
