import { type Case, cases } from '../case.ts'

const only = 'files'
const headers = ['Range: bytes=0-9']
const MISSING = [400, 403, 404] as const

/** RFC 9110 §17.3: a range request reaches no more than another. */
export const paths: readonly Case[] = cases(
  {
    id: 'parent',
    level: 'must',
    section: '17.3',
    title: 'serves nothing beside its root by ../',
    only,
    steps: [
      { path: '../secret.txt', headers, expect: { not: [200, 206, 500] } },
      { path: '../root-private/secret.txt', headers, expect: { not: [200, 206, 500] } },
      { path: 'folder/../../secret.txt', headers, expect: { not: [200, 206, 500] } },
    ],
  },
  {
    id: 'parent-escaped',
    level: 'must',
    section: '17.3',
    title: 'serves nothing beside its root by ../ in percent-escapes',
    only,
    steps: [
      { path: '%2e%2e/secret.txt', headers, expect: { not: [200, 206, 500] } },
      { path: '..%2fsecret.txt', headers, expect: { not: [200, 206, 500] } },
      { path: '..%5csecret.txt', headers, expect: { not: [200, 206, 500] } },
      { path: '%252e%252e%252fsecret.txt', headers, expect: { not: [200, 206, 500] } },
    ],
  },
  {
    id: 'nul',
    level: 'quality',
    section: '17.3',
    title: 'refuses a path with a NUL, and does not fail on it',
    only,
    path: 'letters.txt%00.mp4',
    headers,
    expect: MISSING,
  },
  {
    id: 'broken-escape',
    level: 'quality',
    section: 'RFC 3986 §2.1',
    title: 'refuses a broken percent-escape, and does not fail on it',
    only,
    steps: [
      { path: 'letters%zz.txt', headers, expect: MISSING },
      { path: 'na%EFve%FF.txt', headers, expect: MISSING },
    ],
  },
  {
    id: 'folder',
    level: 'quality',
    section: '14.2',
    title: 'has no range of a folder',
    only,
    path: 'folder/',
    headers,
    expect: { not: [206, 416, 500] },
  },
  {
    id: 'below-a-file',
    level: 'quality',
    section: '15.5.5',
    title: 'finds nothing below a file, and does not fail on it',
    only,
    path: 'letters.txt/more',
    headers,
    expect: MISSING,
  },
  {
    id: 'long-name',
    level: 'quality',
    section: '15.5.5',
    title: 'finds nothing under a name of 300 bytes, and does not fail on it',
    only,
    path: 'n'.repeat(300),
    headers,
    expect: [400, 403, 404, 414],
  },
)
